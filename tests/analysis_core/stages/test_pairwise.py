"""Pre-selection of atoms for the cross-modal games: who is looked at, and what is said of the others."""

import pytest
import torch

from analysis_core import Logit, results
from analysis_core.errors import BadInput
from analysis_core.stages import crossmodal
from tests.analysis_core import toys, toys_games

METHODS = pytest.mark.parametrize("method", [crossmodal.lime, crossmodal.shap], ids=["lime", "shap"])
STRENGTHS = torch.tensor([1.0, -5, 2, 4, 0, 3, 1], dtype=torch.float64)


def weighted(Z):
    """Main effects of sizes 1, 5, 2, 4 (a) and 0, 3, 1 (b); atoms 1 and 5 interact, and so do 0 and 4."""
    return Z @ STRENGTHS + 10 * Z[:, 1] * Z[:, 5] + 7 * Z[:, 0] * Z[:, 4]


@METHODS
def test_the_strongest_atoms_of_each_modality_are_looked_at(method):
    # |f(alone) - f(none)| + |f(all) - f(all but it)|, for atoms 0 to 3: 1 + 8, 5 + 5, 2 + 2, 4 + 4; of b: 0 + 7,
    # 3 + 13, 1 + 1. Two of each: 1 and 0 of a, 1 and 0 of b.
    result = method(toys_games.Game(weighted, 4, 3), {}, Logit(0), source="a", to="b", preselect=2)
    assert result.config["selected"] == {"a": [0, 1], "b": [0, 1]}
    expected = torch.zeros(4, 3, dtype=torch.float64)
    expected[0, 0], expected[1, 1] = 7, 10
    torch.testing.assert_close(result.pairs, expected, rtol=1e-6, atol=1e-6)
    # The pre-selection takes none, all, and two rows per atom; then come all subsets of four atoms.
    assert result.quality["evaluations"] == 2 + 2 * 7 + 2**4


@METHODS
def test_atoms_left_out_stay_present_and_have_no_standard_error(method):
    # With atom 0 of a always present, atom 0 of b keeps its 7 as a main effect.
    result = method(toys_games.Game(weighted, 4, 3), {}, Logit(0), source="a", to="b", preselect=1)
    assert result.config["selected"] == {"a": [1], "b": [1]}
    assert float(result.pairs[1, 1]) == pytest.approx(10, abs=1e-5)
    assert int((result.pairs != 0).sum()) == 1
    stated = result.quality["standard_error"]
    assert [(i, j) for i in range(4) for j in range(3) if stated[i][j] is not None] == [(1, 1)]
    again = results.loads(results.dumps(result))
    assert again.quality == result.quality


@METHODS
def test_equal_atoms_are_taken_in_their_order(method):
    result = method(toys_games.Game(lambda Z: Z.sum(1), 4, 3), {}, Logit(0), source="a", to="b", preselect=2)
    assert result.config["selected"] == {"a": [0, 1], "b": [0, 1]}


@METHODS
def test_few_atoms_are_not_selected_from(method):
    game = toys_games.Game(weighted, 4, 3)
    result = method(game, {}, Logit(0), source="a", to="b")
    assert result.config["selected"] == {"a": [0, 1, 2, 3], "b": [0, 1, 2]}
    assert result.quality["evaluations"] == 2**7
    everybody = method(game, {}, Logit(0), source="a", to="b", preselect=None)
    assert torch.equal(everybody.pairs, result.pairs)


@METHODS
def test_many_atoms_are_brought_down_to_twelve_of_each(method):
    W, sample = toys.random(40, 75), toys.sample(n=20, p=2, m=15, q=5)
    expected = torch.einsum("ip,ipjq,jq->ij", sample["a"][0], W.reshape(20, 2, 15, 5), sample["b"][0])
    result = method(toys.bilinear(W), sample, Logit(0), source="a", to="b")
    rows, columns = (torch.tensor(result.config["selected"][m]) for m in "ab")
    assert (len(rows), len(columns)) == (12, 12)
    chosen = result.pairs[rows][:, columns]
    torch.testing.assert_close(chosen, expected[rows][:, columns], rtol=1e-6, atol=1e-6)
    # Absent is 0: alone an atom gives nothing, and taken away it takes all its products with it.
    torch.testing.assert_close(rows, expected.sum(1).abs().argsort(descending=True)[:12].sort().values)


@METHODS
def test_no_atom_is_too_few_to_look_at(method):
    with pytest.raises(BadInput, match="at least 1"):
        method(toys.additive(), toys.sample(), Logit(0), source="a", to="b", preselect=0)


@METHODS
def test_a_model_that_answers_nan_to_an_absent_atom_is_refused(method):
    model = toys.Toy(lambda a, b: (1 / a.sum(2)).sum(1, keepdim=True) + b.sum((1, 2))[:, None])
    with pytest.raises(BadInput, match="NaN or infinite"):
        method(model, toys.sample(), Logit(0), source="a", to="b")


@METHODS
def test_too_many_atoms_are_refused_before_any_memory_is_asked_for(method):
    with pytest.raises(BadInput, match="group them into larger ones"):
        method(toys.additive(), toys.sample(n=8000, p=1, m=300, q=1), Logit(0), source="a", to="b")
