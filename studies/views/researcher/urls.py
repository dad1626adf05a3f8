"""Addresses of the researchers' pages, and the two public ones that no annotator needs."""

from django.contrib.auth.views import (
    LoginView,
    LogoutView,
    PasswordChangeDoneView,
    PasswordChangeView,
)
from django.urls import path, reverse_lazy
from django.views.decorators.http import require_http_methods, require_safe

from studies.views.researcher import (
    audit,
    blinding,
    deleting,
    design,
    downloads,
    life,
    links,
    listing,
    new,
    overview,
    people,
    plan,
    public,
    report,
    run,
    tokens,
)

urlpatterns = [
    path("", listing.studies, name="studies"),
    path(
        "login/",
        # Somebody who is logged in is sent on before the view itself looks at the method.
        require_http_methods(["GET", "HEAD", "POST"])(
            LoginView.as_view(template_name="researcher/login.html", redirect_authenticated_user=True)
        ),
        name="login",
    ),
    path("logout/", LogoutView.as_view(http_method_names=["post"]), name="logout"),
    path(
        "account/password/",
        require_http_methods(["GET", "HEAD", "POST"])(
            PasswordChangeView.as_view(
                template_name="researcher/password.html", success_url=reverse_lazy("password_done")
            )
        ),
        name="password",
    ),
    path(
        "account/password/done/",
        require_safe(PasswordChangeDoneView.as_view(template_name="researcher/password_done.html")),
        name="password_done",
    ),
    path("account/tokens/", tokens.tokens, name="tokens"),
    path("account/tokens/revoke/", tokens.revoke, name="token_revoke"),
    path("studies/new/", new.new, name="study_new"),
    path("studies/<slug:slug>/", overview.study, name="study"),
    path("studies/<slug:slug>/design/", design.design, name="study_design"),
    path("studies/<slug:slug>/design/file/", design.file, name="study_design_file"),
    path("studies/<slug:slug>/design/act/", design.act, name="study_design_act"),
    path("studies/<slug:slug>/design/progress/", design.progress, name="study_design_progress"),
    path("studies/<slug:slug>/progress/", overview.progress, name="study_progress"),
    path("studies/<slug:slug>/life/", life.step, name="study_life"),
    path("studies/<slug:slug>/life/<str:act>/", life.confirm, name="study_confirm"),
    path("studies/<slug:slug>/plan/", plan.plan, name="study_plan"),
    path("studies/<slug:slug>/run/", run.run, name="study_run"),
    path("studies/<slug:slug>/run/precompute/", run.precompute, name="study_precompute"),
    path("studies/<slug:slug>/run/retry/", run.retry, name="study_retry"),
    path("studies/<slug:slug>/run/arms/<int:position>/", run.arm, name="study_arm"),
    path("studies/<slug:slug>/links/", links.links, name="study_links"),
    path("studies/<slug:slug>/links/revoke/", links.revoke, name="study_revoke"),
    path("studies/<slug:slug>/links/table/", links.table, name="study_links_table"),
    path("studies/<slug:slug>/links/cards/", links.cards, name="study_links_cards"),
    path("studies/<slug:slug>/people/", people.people, name="study_people"),
    path("studies/<slug:slug>/audit/", audit.audit, name="study_audit"),
    path("studies/<slug:slug>/blinding/", blinding.blinding, name="study_blinding"),
    path("studies/<slug:slug>/delete/", deleting.delete, name="study_delete"),
    path("studies/<slug:slug>/report/", report.report, name="study_report"),
    path("studies/<slug:slug>/report/peek/", report.peek, name="study_peek"),
    path("studies/<slug:slug>/report/file/<str:format>/", downloads.report_file, name="study_report_file"),
    path("studies/<slug:slug>/export/", downloads.export, name="study_export"),
    path("studies/<slug:slug>/export/file/", downloads.export_file, name="study_export_file"),
    path("schema/study.json", public.schema, name="schema"),
    path("healthz", public.healthz, name="healthz"),
]
