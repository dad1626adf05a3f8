"""Ids and orders from the study's secret: stable, unguessable, and without bias."""

from __future__ import annotations

from collections import Counter

from scipy.stats import chisquare

from studies.secret_ids import keyed, public_id, shuffled

SECRET = b"s" * 32


def test_an_id_is_the_same_again_and_another_for_another_secret() -> None:
    assert public_id(SECRET, "invite", 1) == public_id(SECRET, "invite", 1)
    assert public_id(SECRET, "invite", 1) != public_id(b"t" * 32, "invite", 1)


def test_parts_cannot_run_into_each_other() -> None:
    assert keyed(SECRET, "ab", "c") != keyed(SECRET, "a", "bc")
    assert keyed(SECRET, "a", "") != keyed(SECRET, "a")


def test_a_permutation_keeps_every_value() -> None:
    assert sorted(shuffled(SECRET, range(20), "items")) == list(range(20))


def test_each_value_comes_first_equally_often() -> None:
    # 2,000 permutations of four values; a fair draw puts each first about 500 times.
    first = Counter(shuffled(SECRET, "ABCD", "choices", n)[0] for n in range(2000))
    assert chisquare([first[letter] for letter in "ABCD"]).pvalue > 0.001
