"""Which coalitions are drawn, that none is drawn twice, and what is refused."""

import itertools

import pytest
import torch

from analysis_core import Logit
from analysis_core.errors import BadInput
from analysis_core.seeds import generator
from analysis_core.stages import coalitions
from analysis_core.stages.masking import Masking
from tests.analysis_core import toys, toys_games


def test_shares_follow_one_over_the_root_of_k_times_n_minus_k():
    # n = 6 has 6, 15 and 10 pairs of sizes 1, 2 and 3. Weights 1/sqrt(5), 1/sqrt(8) and, halved, 1/6: .447, .354, .167.
    # Of 10 pairs: 4.62, 3.65, 1.72, so 4 + 3 + 1 and the two left over to sizes 3 and 2.
    assert coalitions.shares(6, 10) == [(1, 4), (2, 4), (3, 2)]


def test_a_size_smaller_than_its_share_is_enumerated_and_the_rest_shared_again():
    # Of 20 pairs size 1 would get 9.2 of its 6: all 6. The other 14 by .354 : .167 are 9.5 and 4.5.
    assert coalitions.shares(6, 20) == [(1, 6), (2, 10), (3, 4)]
    assert coalitions.shares(6, 31) == [(1, 6), (2, 15), (3, 10)]
    assert coalitions.shares(6, 1000) == [(1, 6), (2, 15), (3, 10)]


@pytest.mark.parametrize(("n", "pairs"), [(5, 16), (6, 20), (12, 200), (40, 300), (41, 60)])
def test_no_coalition_comes_twice_neither_itself_nor_as_a_complement(n, pairs):
    Z = coalitions.halves(n, pairs, generator(0, "test"))
    assert Z.shape == (pairs, n)
    assert len(torch.unique(torch.cat([Z, ~Z]), dim=0)) == 2 * pairs
    assert Z[0].all()
    sizes = torch.bincount(Z[1:].sum(1), minlength=n)
    assert {k: int(c) for k, c in enumerate(sizes) if c} == dict(coalitions.shares(n, pairs - 1))


@pytest.mark.parametrize("listed", [0, coalitions.LISTED])
def test_within_a_size_all_atoms_are_kept_equally_often(listed, monkeypatch):
    # 6 of the 15 pairs of atoms, 500 times: each atom is in a third of them, 1000 times with a deviation below 26.
    monkeypatch.setattr(coalitions, "LISTED", listed)
    random = generator(3, "test")
    kept = sum(coalitions._of_size(6, 2, 6, random).sum(0) for _ in range(500))
    assert (kept - 1000).abs().max() < 4 * 26


@pytest.mark.parametrize(("n", "size"), [(1, 1), (5, 1), (6, 3), (7, 3), (11, 5), (40, 2)])
def test_numbers_of_coalitions_are_places_in_the_list_of_all(n, size):
    listed = torch.tensor(list(itertools.combinations(range(n), size)))
    mixed = torch.randperm(len(listed), generator=generator(0, "test"))
    assert torch.equal(coalitions._numbered(n, size, mixed), listed[mixed])


@pytest.mark.parametrize(("n", "pairs"), [(8, 90), (13, 300), (24, 150)])
def test_rows_are_those_chosen_from_lists_of_all_coalitions(n, pairs):
    random = generator(1, "test")
    expected = [[True] * n]
    for size, count in coalitions.shares(n, pairs - 1):
        if coalitions._pairs_of_size(n, size) > coalitions.LISTED:
            expected += coalitions._of_size(n, size, count, random).tolist()
            continue
        listed = [c for c in itertools.combinations(range(n), size) if 2 * size < n or 0 in c]
        chosen = torch.randperm(len(listed), generator=random)[:count].tolist()
        expected += [[atom in listed[number] for atom in range(n)] for number in chosen]
    assert coalitions.halves(n, pairs, generator(1, "test")).tolist() == expected


def test_all_coalitions_of_few_atoms():
    assert coalitions.every(2).tolist() == [[False, False], [True, False], [False, True], [True, True]]


def test_other_atoms_of_the_game_stay_present():
    game = Masking(toys_games.Game(toys_games.table(5), 2, 3), {})
    found = coalitions.evaluate(game, torch.tensor([[True, False]]), [Logit(0)], atoms=torch.tensor([1, 3]))
    assert float(found) == toys_games.of(toys_games.table(5), 5, (0, 1, 2, 4))


def test_portions_change_nothing(monkeypatch):
    game, Z = Masking(toys_games.Game(toys_games.table(5), 2, 3), {}), coalitions.every(5)
    whole = coalitions.evaluate(game, Z, [Logit(0), Logit(1)])
    monkeypatch.setattr(coalitions, "ROWS_AT_ONCE", 3)
    assert torch.equal(coalitions.evaluate(game, Z, [Logit(0), Logit(1)]), whole)


def test_a_model_that_answers_nan_to_an_absent_atom_is_refused():
    game = Masking(toys.Toy(lambda a, b: (1 / a.sum(2)).sum(1, keepdim=True)), toys.sample())
    with pytest.raises(BadInput, match="NaN or infinite"):
        coalitions.evaluate(game, coalitions.every(7), [Logit(0)])


def test_enumeration_has_a_limit():
    assert coalitions.enumerable(12, 100, 12)
    assert coalitions.enumerable(13, 8192, 12)
    assert not coalitions.enumerable(13, 8191, 12)
    assert not coalitions.enumerable(25, 2**25, 12)
    with pytest.raises(BadInput, match="at most 20"):
        coalitions.enumerable(5, 100, 21)
