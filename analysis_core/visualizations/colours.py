"""The colours of strength. Safe for colour-blind readers: lightness rises with strength, signs are blue and orange."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Colours = npt.NDArray[np.uint8]

#: Weak to strong, dark violet to bright yellow: lightness rises all the way, so the order survives any colour vision.
SEQUENTIAL = ("#3b1274", "#6f1b84", "#a62a72", "#d7453f", "#f27718", "#fbb11a", "#fff04d")
#: Weak to strong of one sign each. Blue against orange is the pair that all common colour deficiencies keep apart.
NEGATIVE = ("#7db8e8", "#3a8bd6", "#0f5fb5")
POSITIVE = ("#f9b26b", "#f28c28", "#e66100")


def rgb(code: str) -> tuple[int, int, int]:
    """ "#0a141e" -> (10, 20, 30)."""
    return int(code[1:3], 16), int(code[3:5], 16), int(code[5:7], 16)


def ramp(anchors: tuple[str, ...], steps: int) -> Colours:
    """steps colours from the first anchor to the last, linear between them: uint8 [steps, 3]."""
    points = np.array([rgb(code) for code in anchors], dtype=np.float64)
    at = np.linspace(0, len(anchors) - 1, steps)
    channels = [np.interp(at, np.arange(len(anchors)), points[:, channel]) for channel in range(3)]
    return np.rint(np.stack(channels, axis=1)).astype(np.uint8)


def unsigned_table() -> Colours:
    """RGBA for levels 0 to 255 of strength; alpha is the level: uint8 [256, 4]."""
    return _with_alpha(ramp(SEQUENTIAL, 256), np.arange(256))


def signed_table() -> Colours:
    """RGBA for levels -127 to 127, the row is level + 127; alpha grows with |level|: uint8 [255, 4]."""
    colours = np.concatenate([ramp(NEGATIVE, 128)[:0:-1], ramp(POSITIVE, 128)])
    return _with_alpha(colours, np.abs(np.arange(-127, 128)) * 255 / 127)


def _with_alpha(colours: Colours, alpha: npt.NDArray[np.generic]) -> Colours:
    table = np.concatenate([colours, np.rint(alpha).astype(np.uint8)[:, None]], axis=1)
    table[table[:, 3] == 0] = 0
    return table
