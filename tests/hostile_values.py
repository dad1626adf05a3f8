"""What researchers' pages and the API can be sent, address by address: in each request one value is a hostile one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

#: Stands where a hostile value goes
HERE = "HERE"
HOSTILE_VALUES = {
    "nul": "a\x00b",
    "digits": "9" * 5000,
    "long": "x" * 100_000,
    "writing": "\u202egnp.exe \u05de\u05d4 \U0001f9ea\U0001f469\u200d\U0001f52c",
    "script": "<script>alert(1)</script>",
}


@dataclass(frozen=True)
class Sent:
    """One request: the address's row in endpoint_rows.py, what its query or its form holds, or a body as it is."""

    row: str
    values: dict[str, str] = field(default_factory=dict)
    method: str = "POST"
    body: str = ""
    content_type: str = "application/json"

    def __str__(self) -> str:
        return f"{self.method} {self.row} {self.body or ' '.join(f'{k}={v}' for k, v in self.values.items())}"


def _each(row: str, *names: str, method: str = "POST", **others: str) -> Iterator[Sent]:
    for name in names:
        yield Sent(row, {**others, name: HERE}, method)


def _asked(row: str, *names: str) -> Iterator[Sent]:
    return _each(row, *names, method="GET")


def _bodies(row: str, *bodies: str, content_type: str = "application/json") -> Iterator[Sent]:
    return (Sent(row, body=body, content_type=content_type) for body in bodies)


SENT = [
    *_asked("studies", "page"),
    *_asked("login", "next"),
    *_each("login", "username", "password", "next"),
    *_each("password", "old_password", "new_password1", "new_password2"),
    *_each("tokens", "name", days="1"),
    *_each("tokens", "days", name="nightly"),
    *_each("token_revoke", "name"),
    *_asked("study_new", "from", "as"),
    *(Sent("study_new", {"from": f"{kind}:{HERE}"}, "GET") for kind in ("study", "preset", "file")),
    *_each("study_new", "way", "study", "seed", "title", "conditions[0].name", "conditions[999999999].name", "no.such"),
    *_each("study_new", "text", way="file"),
    *_asked("study_design", "as"),
    *_asked("study_plan", "accuracies", "annotators", "items", "test", "pay", "pilot"),
    *_each("study_plan", "accuracies", "annotators", "items", "test", "pay", "pilot"),
    *_each("study_design", "way", "title", "seed", "version", "answers.merge"),
    *_each("study_design", "text", "version", way="file"),
    *_each("study_design_act", "act"),
    *_each("study_life", "act"),
    *_each("study_life", "sure", act="close"),
    *_asked("study_links", "label", "page"),
    *_asked("study_links_table", "label"),
    *_asked("study_links_cards", "label", "page"),
    *_each("study_links", "count"),
    *_each("study_links", "label", "shown", count="1"),
    *_each("study_revoke", "token", "shown"),
    *_each("study_people", "act"),
    *_each("study_people", "name", act="add"),
    *_each("study_people", "name", act="remove"),
    *_each("study_peek", "then"),
    *_each("study_retry", "row"),
    *_each("study_arm", "act", "sure"),
    *_asked("study_audit", "page"),
    *_each("study_delete", "name", "sure"),
    *_asked("api:studies", "state", "ordering", "page", "page_size"),
    *_asked("api:invites", "page", "page_size"),
    *_bodies("api:invites", '{"count": HERE}', '{"count": "HERE"}', '{"count": 1, "label": "HERE"}', "[[HERE", "HERE"),
    *(
        sent
        for row in ("api:validate", "api:studies")
        for sent in (
            *_bodies(row, '{"seed": HERE}', '{"kind": "simulation", "title": "HERE"}', '{"HERE": 1}', "HERE"),
            *_bodies(row, "seed: HERE", "kind: HERE", "'HERE': 1", "HERE", content_type="application/yaml"),
        )
    ),
]
#: Parts of addresses that somebody can change
PATHS = [
    "/studies/HERE/",
    "/studies/scenes/life/HERE/",
    "/studies/scenes/run/arms/HERE/",
    "/studies/scenes/report/file/HERE/",
    "/api/v1/studies/HERE/",
    "/api/v1/studies/scenes/invites/HERE/revoke/",
    "/HERE",
]
