"""Random numbers: always a local generator from a seed and a purpose, never torch's global state."""

from __future__ import annotations

import hashlib

import torch

from analysis_core.arguments import whole


def generator(seed: int, *purpose: str) -> torch.Generator:
    """A CPU generator; different purposes give independent streams of the same seed.

    raises: BadInput (a seed that is no whole number)
    """
    text = "/".join((str(whole("seed", seed)), *purpose)).encode()
    number = int.from_bytes(hashlib.sha256(text).digest()[:8], "big") >> 1
    return torch.Generator(device="cpu").manual_seed(number)
