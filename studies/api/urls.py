"""Addresses of the API."""

from django.urls import path

from studies.api import invites, life, outcomes, studies

app_name = "api"
urlpatterns = [
    path("studies/", studies.Studies.as_view(), name="studies"),
    path("validate/", studies.StudyValidate.as_view(), name="validate"),
    path("studies/<slug:slug>/", studies.StudyStatus.as_view(), name="study"),
    path("studies/<slug:slug>/check/", studies.StudyCheck.as_view(), name="check"),
    path("studies/<slug:slug>/precompute/", studies.StudyPrecompute.as_view(), name="precompute"),
    path("studies/<slug:slug>/freeze/", life.StudyFreeze.as_view(), name="freeze"),
    path("studies/<slug:slug>/open/", life.StudyOpen.as_view(), name="open"),
    path("studies/<slug:slug>/close/", life.StudyClose.as_view(), name="close"),
    path("studies/<slug:slug>/unblind/", life.StudyUnblind.as_view(), name="unblind"),
    path("studies/<slug:slug>/invites/", invites.Invites.as_view(), name="invites"),
    path("studies/<slug:slug>/invites/<int:number>/revoke/", invites.InviteRevoke.as_view(), name="invite_revoke"),
    path("studies/<slug:slug>/report/", outcomes.StudyReport.as_view(), name="report"),
    path("studies/<slug:slug>/report/peek/", outcomes.StudyPeek.as_view(), name="peek"),
    path("studies/<slug:slug>/report/<str:form>/", outcomes.ReportFile.as_view(), name="report_file"),
    path("studies/<slug:slug>/export/", outcomes.Export.as_view(), name="export"),
    path("studies/<slug:slug>/audit/", life.StudyAudit.as_view(), name="audit"),
]
