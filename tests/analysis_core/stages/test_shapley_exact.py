"""Shapley values and interaction indices from all coalitions, against published games and the definitions."""

import torch

from analysis_core.stages.coalitions import every
from analysis_core.stages.shapley_exact import interaction_indices, shapley_values
from tests.analysis_core import toys_games


def test_the_glove_game():
    # One left glove, two right ones, a pair is worth 1: the textbook values are 2/3, 1/6 and 1/6.
    Z = every(3)
    f = (Z[:, 0] & (Z[:, 1] | Z[:, 2])).to(torch.float64)
    torch.testing.assert_close(shapley_values(Z, f), torch.tensor([4, 1, 1], dtype=torch.float64) / 6)


def test_values_of_twelve_atoms_equal_the_definition():
    f = toys_games.table(12, seed=3)
    found = shapley_values(every(12), f(every(12).double()))
    assert (found - toys_games.shapley_by_definition(f, 12)).abs().max() < 1e-12


def test_values_do_not_lose_digits_to_a_large_constant():
    f, Z = toys_games.network(8), every(8)
    shifted = shapley_values(Z, f(Z.double()) + 1e6)
    torch.testing.assert_close(shifted, shapley_values(Z, f(Z.double())), rtol=0, atol=1e-9)


def test_an_and_of_three_gives_one_half_to_each_pair_of_them():
    # Grabisch & Roubens 1999: in the unanimity game of t atoms a pair has the index 1 / (t - 2 + 1).
    Z = every(5)
    f = Z[:, [0, 2, 3]].all(1).to(torch.float64)
    found = interaction_indices(Z, f, torch.tensor([0, 1]), torch.tensor([2, 3, 4]))
    expected = torch.tensor([[0.5, 0.5, 0], [0, 0, 0]], dtype=torch.float64)
    torch.testing.assert_close(found, expected, atol=1e-14, rtol=0)


def test_indices_of_nine_atoms_equal_the_definition():
    f = toys_games.table(9, seed=4)
    first, second = torch.tensor([0, 4]), torch.tensor([1, 2, 8])
    found = interaction_indices(every(9), f(every(9).double()), first, second)
    assert (found - toys_games.interactions_by_definition(f, 9)[first][:, second]).abs().max() < 1e-12


def test_two_atoms_are_the_smallest_game_of_pairs():
    # f(both) - f(first) - f(second) + f(none) = 7 - 1 - 2 + 5; values: the means of both orders.
    f = torch.tensor([5.0, 1.0, 2.0, 7.0], dtype=torch.float64)
    assert interaction_indices(every(2), f, torch.tensor([0]), torch.tensor([1])).tolist() == [[9.0]]
    assert shapley_values(every(2), f).tolist() == [((1 - 5) + (7 - 2)) / 2, ((2 - 5) + (7 - 1)) / 2]
