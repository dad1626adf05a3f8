"""Addresses of the researchers' pages, and the two public ones that no annotator needs."""

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from studies.views.researcher import life, links, listing, overview, public, report

urlpatterns = [
    path("", listing.studies, name="studies"),
    path(
        "login/",
        LoginView.as_view(template_name="researcher/login.html", redirect_authenticated_user=True),
        name="login",
    ),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("studies/<slug:slug>/", overview.study, name="study"),
    path("studies/<slug:slug>/progress/", overview.progress, name="study_progress"),
    path("studies/<slug:slug>/life/", life.step, name="study_life"),
    path("studies/<slug:slug>/links/", links.make, name="study_links"),
    path("studies/<slug:slug>/report/", report.report, name="study_report"),
    path("studies/<slug:slug>/report/peek/", report.peek, name="study_peek"),
    path("schema/study.json", public.schema, name="schema"),
    path("healthz", public.healthz, name="healthz"),
]
