"""Who gets what where: one row per address, for tests/test_endpoints.py.

A row has the status for each of ROLES, in this order, of GET (HEAD is the same) and of an empty POST. PUT and DELETE
exist nowhere. In every row the coder is named in the study, Ann has a sheet of it, and somebody else has another one.
"""

from __future__ import annotations

from dataclasses import dataclass

ROLES = ("stranger", "annotator", "other", "coder", "owner", "staff", "token")


@dataclass(frozen=True)
class Row:
    """Statuses of GET and POST, and the arguments of the address."""

    get: str
    post: str
    args: tuple[str, ...] = ()

    def statuses(self, method: str) -> dict[str, int]:
        """Per role, the status of a request with this method."""
        # The API asks who it is before it looks at anything else.
        nowhere = API_NONE if "401" in self.get + self.post else NONE
        text = {"GET": self.get, "HEAD": self.get, "POST": self.post}.get(method, nowhere)
        return dict(zip(ROLES, map(int, text.split()), strict=True))


def everybody(status: int) -> str:
    """The same for all roles."""
    return " ".join([str(status)] * len(ROLES))


NONE = everybody(405)
API_NONE = "401 401 405 405 405 405 405"
# A token opens the API and nothing else: on a page its bearer is a stranger.
LOGGED_IN = "302 302 200 200 200 200 302"
OWNERS = "302 302 404 404 200 200 302"
OWNERS_ACT = "302 302 404 404 302 302 302"
BLINDED = "302 302 404 404 403 403 302"  # outcomes of an open study
SCOPED = ("scenes",)
SHEETS = "404 200 404 404 404 404 404"  # whoever has no sheet finds nothing
MOVED_ON = "404 302 404 404 404 404 404"  # the sheet is at another step, or has just taken one
API_GET = "401 401 404 404 200 200 200"


def api_act(status: int) -> str:
    """An operation of the API on a study: its owner's, staff's and the token's status."""
    return f"401 401 404 404 {status} {status} {status}"


ANNOTATORS = {
    "recruit": Row(everybody(404), everybody(404), SCOPED),  # the study is by invitation
    "welcome": Row(everybody(200), everybody(302), ("scenes", "INVITE")),
    "resume": Row(everybody(302), NONE, ("RESUME",)),
    "where": Row(MOVED_ON, NONE),
    "consent": Row(MOVED_ON, MOVED_ON),
    "quiz": Row(MOVED_ON, MOVED_ON),
    "instructions": Row(MOVED_ON, MOVED_ON),
    "item": Row(SHEETS, MOVED_ON),
    "draft": Row(NONE, "404 400 404 404 404 404 404"),
    "exposure": Row(NONE, "404 204 404 404 404 404 404"),
    "other": Row(NONE, MOVED_ON),
    "review": Row(MOVED_ON, MOVED_ON),
    "post": Row(MOVED_ON, MOVED_ON),
    "done": Row(MOVED_ON, MOVED_ON),
    "withdraw": Row(SHEETS, MOVED_ON),
    "media": Row(SHEETS, NONE, ("MEDIA",)),
}
RESEARCHERS = {
    "studies": Row(LOGGED_IN, NONE),
    "login": Row("200 200 302 302 302 302 200", "200 200 302 302 302 302 200"),
    "logout": Row(NONE, everybody(302)),
    "password": Row(LOGGED_IN, LOGGED_IN),
    "password_done": Row(LOGGED_IN, NONE),
    "tokens": Row(LOGGED_IN, "302 302 422 422 422 422 302"),
    "token_revoke": Row(NONE, everybody(302)),
    "study_new": Row(LOGGED_IN, "302 302 422 422 422 422 302"),
    "study_design": Row(OWNERS, OWNERS_ACT, SCOPED),
    "study_design_file": Row(OWNERS, NONE, SCOPED),
    "study_design_act": Row(NONE, "302 302 404 404 400 400 302", SCOPED),
    "study_design_progress": Row(OWNERS, NONE, SCOPED),
    "study": Row("302 302 404 200 200 200 302", NONE, SCOPED),
    "study_progress": Row(OWNERS, NONE, SCOPED),
    "study_blinding": Row(OWNERS, NONE, SCOPED),
    "study_plan": Row(OWNERS, OWNERS_ACT, SCOPED),
    "study_life": Row(NONE, "302 302 404 404 400 400 302", SCOPED),
    "study_links": Row(OWNERS, OWNERS_ACT, SCOPED),
    "study_report": Row(BLINDED, BLINDED, SCOPED),
    "study_peek": Row(NONE, OWNERS_ACT, SCOPED),
    "study_report_file": Row(BLINDED, NONE, ("scenes", "json")),
    "study_export": Row(BLINDED, BLINDED, SCOPED),
    "study_export_file": Row(NONE, BLINDED, SCOPED),
    "study_confirm": Row(OWNERS, NONE, ("scenes", "close")),
    "study_run": Row(OWNERS, NONE, SCOPED),
    "study_precompute": Row(NONE, OWNERS_ACT, SCOPED),
    "study_retry": Row(NONE, OWNERS_ACT, SCOPED),
    "study_arm": Row(OWNERS, OWNERS_ACT, ("scenes", "0")),
    "study_revoke": Row(NONE, OWNERS_ACT, SCOPED),
    "study_links_table": Row(OWNERS, NONE, SCOPED),
    "study_links_cards": Row(OWNERS, NONE, SCOPED),
    "study_people": Row(OWNERS, "302 302 404 404 400 400 302", SCOPED),
    "study_audit": Row(OWNERS, NONE, SCOPED),
    "study_delete": Row(OWNERS, "302 302 404 404 422 422 302", SCOPED),
}
PUBLIC = {
    "schema": Row(everybody(200), NONE),
    "healthz": Row(everybody(200), NONE),
    "api_schema": Row(everybody(200), NONE),
}
API = {
    "api:studies": Row("401 401 200 200 200 200 200", "401 401 400 400 400 400 400"),
    "api:validate": Row(API_NONE, "401 401 400 400 400 400 400"),
    "api:study": Row(API_GET, API_NONE, SCOPED),
    "api:check": Row(API_NONE, api_act(202), SCOPED),
    "api:precompute": Row(API_NONE, api_act(409), SCOPED),
    "api:freeze": Row(API_NONE, api_act(409), SCOPED),
    "api:open": Row(API_NONE, api_act(409), SCOPED),
    "api:close": Row(API_NONE, api_act(200), SCOPED),
    "api:unblind": Row(API_NONE, api_act(409), SCOPED),
    "api:invites": Row(API_GET, api_act(400), SCOPED),
    "api:invite_revoke": Row(API_NONE, api_act(200), ("scenes", "NUMBER")),
    "api:report": Row(api_act(403), api_act(403), SCOPED),
    "api:peek": Row(API_NONE, api_act(200), SCOPED),
    "api:report_file": Row(api_act(403), API_NONE, ("scenes", "csv")),
    "api:export": Row(api_act(403), api_act(403), SCOPED),
    "api:audit": Row(API_GET, API_NONE, SCOPED),
}
ROWS = ANNOTATORS | RESEARCHERS | PUBLIC | API
