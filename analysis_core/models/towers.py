"""Optional members of a model: towers, which encode one modality each, and the fusion of their encodings.

Where a model has them, masking, EMAP and DIME encode a modality once and only fuse per combination. Loads no torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor

    from analysis_core.models.base import MultimodalModel
    from analysis_core.types import Output

    Encoding = Tensor | tuple[Tensor, ...] | dict[str, Tensor]


class Towers(Protocol):
    """Two methods beside the four members of MultimodalModel: forward(x, aux) == fuse of all towers, to round-off."""

    def tower(self, modality: str, x: Tensor, aux: dict[str, Tensor]) -> Encoding:
        """One modality's encoding, batch-first, from its leaves x [B, ...] and its own aux; pure, blind to the others.

        The more is done here the better: what needs one modality only is not done again for each combination.
        """
        ...

    def fuse(self, encodings: dict[str, Encoding], aux: dict[str, dict[str, Tensor]]) -> Output:
        """What forward returns, from encodings of every modality [B, ...], row by row.

        An encoding that is the same in all rows may come expanded (stride 0): never write into it.
        """
        ...


def separate(model: MultimodalModel) -> Towers | None:
    """The model where its class has both methods and they belong to its forward pass, else None.

    Only the class is asked: a wrapper that hands unknown names on to the model inside (a smoothed one) has a forward
    pass of its own, and the inner fusion would pass it by. So would a forward that is overridden below tower and fuse.
    """
    if missing(model) or "forward" in vars(model):
        return None
    order = type(model).__mro__
    tower, fuse, forward = (
        next((i for i, kind in enumerate(order) if name in vars(kind)), len(order))
        for name in ("tower", "fuse", "forward")
    )
    return model if forward >= max(tower, fuse) else None  # type: ignore[return-value]


def missing(model: MultimodalModel) -> tuple[str, ...]:
    """Which of the two methods the model's class does not have; a class that sets one to None does without it."""
    return tuple(name for name in ("tower", "fuse") if not callable(getattr(type(model), name, None)))
