"""Links for annotators: what became of each, as far as its researcher may know."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from studies.models import Study
from studies.services.inviting import InvitesRefused, invite_revoke, invites_create, live_invites
from studies.services.withdrawing import sheet_withdraw
from tests import cast

pytestmark = pytest.mark.django_db


def test_a_link_is_unclaimed_claimed_finished_or_revoked(scenes: Study, newcomer: Callable[[], cast.Annotator]) -> None:
    links = invites_create(study=scenes, count=5, label="pool A")
    for place, step in ((1, "item"), (2, "done"), (3, "item")):
        newcomer().enter(links[place])
        scenes.version.sheets.filter(invite=links[place]).update(step=step)
    sheet_withdraw(sheet=scenes.version.sheets.get(invite=links[3]))
    invite_revoke(study=scenes, token=links[4].token)
    # Who withdrew is not told: a label may name a person.
    uses = [link.use for link in live_invites(scenes)]
    assert uses == ["unclaimed", "claimed", "finished", "claimed", "revoked"]


def test_links_are_found_by_their_label(scenes: Study) -> None:
    invites_create(study=scenes, count=2, label="pool  A ")
    invites_create(study=scenes, count=1)
    assert live_invites(scenes, "pool A").count() == 2
    assert live_invites(scenes, "").count() == 1
    assert live_invites(scenes).count() == 3


@pytest.mark.parametrize("state", ["closed", "unblinded"])
def test_a_study_that_is_over_gets_no_links(scenes: Study, state: str) -> None:
    Study.objects.update(state=state)
    with pytest.raises(InvitesRefused, match=state):
        invites_create(study=scenes, count=1)
    assert not scenes.invites.exists()


def test_a_label_has_an_end(scenes: Study) -> None:
    with pytest.raises(InvitesRefused, match="120 characters"):
        invites_create(study=scenes, count=1, label="x" * 121)
