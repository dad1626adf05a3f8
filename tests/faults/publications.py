"""Every publication of an artefact, noted by the database itself: none is missed, whoever makes it and whenever."""

from __future__ import annotations

from collections import Counter

from tests.faults.installation import Installation

_TABLE = "CREATE TABLE publication (artefact bigint NOT NULL)"
_SO_FAR = "INSERT INTO publication SELECT id FROM studies_artefact WHERE state = 'ready'"
_WHEN = "CREATE TRIGGER publication_noted AFTER UPDATE OF published ON studies_artefact FOR EACH ROW"
_SQLITE = (_WHEN + " BEGIN INSERT INTO publication VALUES (NEW.id); END",)  # noqa: S608 - our own words
_POSTGRESQL = (
    "CREATE FUNCTION publication_note() RETURNS trigger LANGUAGE plpgsql AS"
    " $$ BEGIN INSERT INTO publication VALUES (NEW.id); RETURN NULL; END $$",
    f"{_WHEN} EXECUTE FUNCTION publication_note()",
)


def record(there: Installation) -> None:
    """From now on; what is ready now was published once."""
    for statement in (_TABLE, _SO_FAR, *(_POSTGRESQL if there.database else _SQLITE)):
        there.change(statement)


def repeated(there: Installation) -> Counter[int]:
    """Artefact -> how often it was published beyond the first time."""
    times = Counter(int(key) for (key,) in there.rows("SELECT artefact FROM publication"))
    return Counter({key: number - 1 for key, number in times.items() if number > 1})
