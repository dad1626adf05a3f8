"""Models, datasets and feature stores, loaded once and kept between rows."""

from __future__ import annotations

import hashlib
import json
import logging
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings

from studies.computed import Source

logger = logging.getLogger(__name__)


def device() -> str:
    """The device that work is done on here; where a GPU is wanted and none is there, the CPU.

    Every result records its device, and a run those of its results: nobody takes the one for the other.
    raises: MissingCapability (a device that is neither)
    """
    return _device(str(settings.DEVICE))


@lru_cache(maxsize=4)
def _device(wanted: str) -> str:
    import torch

    from analysis_core.errors import MissingCapability

    if wanted == "cpu":
        return "cpu"
    if wanted != "auto" and not wanted.startswith("cuda"):
        raise MissingCapability(f"DEVICE={wanted}: torch knows no such device; set cpu, cuda or auto")
    index = int(wanted.partition(":")[2] or 0)
    if torch.cuda.device_count() > index:
        return "cuda" if wanted == "auto" else wanted
    if wanted != "auto":
        logger.warning("DEVICE=%s: torch sees no such device here, the CPU computes instead", wanted)
    return "cpu"


def fingerprint(root: str) -> str:
    """What a dataset's folder holds, as a hash: a changed folder never meets the results of the one before."""
    from analysis_core.datasets.fingerprint import fingerprint as of_folder

    return of_folder(settings.BASE_DIR / root)


def make_missing(root: str, splits: list[str]) -> None:
    """Have the splits that a folder's recipe names and that are not there yet generated. raises: BadData"""
    from analysis_core.datasets.scenes.recipe import materialise

    for split in splits:
        materialise(settings.BASE_DIR / root, split)


def model(source: Source) -> Any:
    """The trained model of a source, on this worker's device. raises: BadCheckpoint (not the one of the run)"""
    return _model(tuple(sorted(source.items())), device())


def dataset(source: Source, split: str) -> Any:
    """One split of a source's dataset."""
    return _dataset(source["dataset"], source["root"], split, source.get("data_sha256"))


def store(source: Source, split: str) -> Any:
    """The feature store of a split, as its prediction run left it."""
    return _store(str(store_folder(source, split)))


def store_key(source: Source, split: str) -> dict[str, Any]:
    """What determines a feature store's content."""
    return {"source": dict(source), "split": split}


def store_folder(source: Source, split: str) -> Path:
    """Where a split's feature store lies."""
    digest = hashlib.sha256(json.dumps(store_key(source, split), sort_keys=True).encode()).hexdigest()
    return Path(settings.STATE_DIR) / "features" / digest[:24]


def has_predictions(source: Source, split: str) -> bool:
    """Whether the feature store of a split lies on disk, whole."""
    from analysis_core.errors import BadData
    from analysis_core.store import FeatureStore

    try:
        return FeatureStore.open(store_folder(source, split)).complete
    except BadData:
        return False


def forget_stores() -> None:
    """After a prediction run: what was opened before may have been incomplete."""
    _store.cache_clear()


@lru_cache(maxsize=2)
def _model(source: tuple[tuple[str, Any], ...], where: str) -> Any:
    import torch

    from analysis_core import errors, models

    torch.set_num_threads(settings.TORCH_THREADS)
    named = dict(source)
    described = models.describe(named["model"], checkpoint=settings.BASE_DIR / named["checkpoint"])
    if described.sha256 != named.get("checkpoint_sha256", described.sha256):
        raise errors.BadCheckpoint(f"{described.folder} is no longer the checkpoint that this run began with")
    return models.load(named["model"], checkpoint=settings.BASE_DIR / named["checkpoint"], device=where)


@lru_cache(maxsize=8)
def _dataset(name: str, root: str, split: str, data_sha256: str | None) -> Any:
    from analysis_core import datasets, errors

    if data_sha256 is not None and fingerprint(root) != data_sha256:
        raise errors.BadData("the folder no longer holds the data that this run began with", file=root)
    return datasets.load(name, root=settings.BASE_DIR / root, split=split)


@lru_cache(maxsize=8)
def _store(folder: str) -> Any:
    from analysis_core.store import FeatureStore

    return FeatureStore.open(Path(folder))
