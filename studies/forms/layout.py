"""In which sections and groups the form shows its fields, in which order."""

from __future__ import annotations

from dataclasses import dataclass

from studies.forms.fields import ROWS, fields


@dataclass(frozen=True)
class Part:
    """A group of fields with a heading. starts: paths, or what paths begin with; note: what holds for all of them

    is_extra: folded away while everything in it is at its default
    """

    heading: str
    starts: tuple[str, ...]
    note: str = ""
    is_extra: bool = False

    @property
    def entries(self) -> list[str]:
        """Paths of its fields and groups of rows, in the order of `starts`."""
        found = [path for path in fields() if "[]" not in path]
        found += [group for group in ROWS if group not in found]
        return [path for start in self.starts for path in found if path == start or path.startswith(f"{start}.")]


@dataclass(frozen=True)
class Section:
    """One card of the page."""

    id: str
    title: str
    parts: tuple[Part, ...]


SECTIONS = (
    Section(
        "what",
        "What and with what",
        (Part("", ("study", "title", "kind", "seed")), Part("Data", ("dataset",)), Part("Model", ("model",))),
    ),
    Section(
        "items",
        "Items and answers",
        (
            Part("Items", ("items.count", "items.practice")),
            Part("Which datapoints may be drawn", ("items.where",), "A datapoint has to pass every filter."),
            Part("Balance", ("items.balance",), "Leave both empty to draw without a balance."),
            Part("Answers", ("answers", "target_class_policy"), "Either choices per item, or fixed choices for all."),
            Part("Texts for the practice items", ("items.explanations",), is_extra=True),
            Part("Attention checks", ("items.checks", "items.check_text"), is_extra=True),
            Part("Named datapoints instead of drawn ones", ("items.ids",), is_extra=True),
        ),
    ),
    Section(
        "explanations",
        "Explanations",
        (
            Part("U: unimodal importance", ("stages.U",)),
            Part("C: cross-modal interactions", ("stages.C",)),
            Part("Rl and Rg: representation", ("stages.R",)),
            Part("P: prediction", ("stages.P",)),
        ),
    ),
    Section("conditions", "Conditions and annotators", (Part("", ("conditions", "annotators")),)),
    Section(
        "pages",
        "Pages",
        (
            Part("Texts", ("pages.consent", "pages.instructions", "pages.minutes", "pages.pay")),
            Part("Eligibility quiz", ("pages.quiz",), "Without a question there is no quiz.", is_extra=True),
            Part("Questions under every item", ("questions",)),
            Part("Questions at the end", ("pages.background", "pages.post"), is_extra=True),
        ),
    ),
    Section("recruitment", "Recruitment", (Part("Beyond invite links", ("recruitment",), is_extra=True),)),
    Section("plan", "Plan", (Part("", ("plan",)),)),
)
