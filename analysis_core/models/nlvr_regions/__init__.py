"""NLVR on gold-box regions: a sentence about three boxes of objects is true or false. Atoms: words and objects."""

from analysis_core.models.nlvr_regions.model import NlvrRegions

__all__ = ["NlvrRegions"]
