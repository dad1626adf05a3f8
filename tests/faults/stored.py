"""`python -m tests.faults.stored`: the choices that an installation holds, as JSON; run in its environment.

{token of the invite: {position: id of the choice as the form sent it}}
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict

import django


def main() -> None:
    """To stdout."""
    django.setup()
    from studies import pages
    from studies.models import Answer

    chosen: dict[str, dict[int, str]] = defaultdict(dict)
    answers = Answer.objects.filter(question="choice").order_by("revision")
    for answer in answers.select_related("item", "sheet__version__study", "sheet__annotator", "sheet__invite"):
        position = answer.sheet.item_order.index(answer.item_id)
        chosen[answer.sheet.invite.token][position] = pages.choice_id(answer.sheet, answer.item, answer.value["letter"])
    json.dump(chosen, sys.stdout)


if __name__ == "__main__":
    main()
