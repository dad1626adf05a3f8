"""Which atoms of two modalities a cross-modal request is about. Second order, removal and finite steps ask here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from analysis_core import leaves
from analysis_core.arguments import whole
from analysis_core.errors import BadInput
from analysis_core.types import Encoded


def chosen_atoms(encoded: Encoded, source: str, to: str, atoms: Sequence[int] | None) -> list[int]:
    """The source atoms asked for, in the order given; None = all.

    raises: UnknownName (modality), BadInput (a modality is empty or named twice, an atom is named twice or not there)
    """
    n = len(leaves.require_modality(encoded, source))
    leaves.require_modality(encoded, to)
    if source == to:
        raise BadInput(f"source and to are both {to!r}; a cross-modal interaction needs two modalities")
    if isinstance(atoms, str) or not isinstance(atoms, Iterable | None):
        raise BadInput(f"atoms must be a list of numbers of atoms of {source!r}, such as [0, 2], not {atoms!r}")
    chosen = list(range(n)) if atoms is None else [whole("the number of an atom", i) for i in atoms]
    if not chosen or not all(0 <= i < n for i in chosen):
        raise BadInput(f"atoms must name some of the {n} atoms of {source!r}, 0 to {n - 1}, not {chosen}")
    if len(set(chosen)) < len(chosen):
        raise BadInput(f"atoms must name each atom of {source!r} once, not {chosen}: `values` adds up their rows")
    return chosen
