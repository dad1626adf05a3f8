"""LXMERT (Tan and Bansal 2019), transformers' own class, over words and regions."""

from analysis_core.models.lxmert.model import Lxmert

__all__ = ["Lxmert"]
