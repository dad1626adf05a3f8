"""The explanation panels of an item page, filled from the artefacts that page_slots.py allows; for studies/pages.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from studies import texts
from studies.models import Artefact, Item, Sheet
from studies.page_slots import FeatureSlot, Media, TargetSlots, artefacts_of, target_slots
from studies.page_types import Explanation, FeaturePanel, Graph, Panel, Picture, Word

#: The drawing of the P graph in pixels (analysis_core/visualizations/graph.py); item.css lays links over it by these.
GRAPH_WIDTH, GRAPH_ROW, GRAPH_MARGIN = 640, 46, 24


def explained(sheet: Sheet, shown: Item, media: Media) -> tuple[Panel, tuple[Explanation, ...]]:
    """The datapoint, and what the sheet's condition may see of its explanations; `media` collects their files."""
    assert sheet.condition is not None
    found = artefacts_of(shown, sheet.condition.stages)
    shown_input = found[("input", shown.subject, "")]
    words = _words((shown_input.numbers or {}).get("words", ()))
    datapoint = Panel("", _picture(shown_input, media, "input", "The picture"), words)
    slots = target_slots(sheet, shown, found)
    return datapoint, tuple(_explanation(i, slot, datapoint, media) for i, slot in enumerate(slots))


def _explanation(number: int, slot: TargetSlots, datapoint: Panel, media: Media) -> Explanation:
    base = datapoint.picture
    return Explanation(
        towards=slot.label or texts.MASKED_CLASS,
        unimodal=_overlaid("", slot.unimodal, media, f"{number}.U", "What matters in the picture", base)
        if slot.unimodal
        else None,
        crossmodal=_crossmodal(slot.crossmodal, media, f"{number}.C", base) if slot.crossmodal else (),
        features=tuple(_feature(f, media, f"{number}.R{f.number}", base) for f in slot.features),
        graph=_graph(slot.graph, media, f"{number}.P") if slot.graph else None,
    )


def _overlaid(caption: str, artefact: Artefact, media: Media, slot: str, alt: str, base: Picture | None) -> Panel:
    """A result on the item's own datapoint: its overlay over the picture, its strengths on the words."""
    picture = replace(base, alt=alt, overlay=media.url(slot, artefact, "overlay")) if base else None
    return Panel(caption, picture, _words((artefact.numbers or {}).get("words", ())))


def _crossmodal(artefact: Artefact, media: Media, slot: str, base: Picture | None) -> tuple[Panel, ...]:
    panels = []
    for i, pair in enumerate((artefact.numbers or {}).get("pairs", ())):
        alt = f"Where the picture matters for “{pair['word']}”"
        overlay = media.url(f"{slot}{i}", artefact, f"overlay{i}")
        panels.append(Panel(pair["word"], replace(base, alt=alt, overlay=overlay) if base else None))
    return tuple(panels)


def _feature(slot: FeatureSlot, media: Media, name: str, base: Picture | None) -> FeaturePanel:
    local = None
    if slot.local:
        alt = f"What sets off feature {slot.number}"
        local = _overlaid("On this example", slot.local, media, f"{name}.l", alt, base)
    examples = []
    if slot.examples:
        for i, example in enumerate((slot.examples.numbers or {}).get("examples", ())):
            caption = f"Other example {i + 1}" + (" (sets it off least)" if example.get("end") == "bottom" else "")
            alt = f"{caption} of feature {slot.number}"
            picture = _picture(slot.examples, media, f"{name}.g{i}", alt, suffix=str(i))
            examples.append(Panel(caption, picture, _words(example.get("words", ()))))
    return FeaturePanel(slot.number, local, tuple(examples))


def _picture(artefact: Artefact, media: Media, slot: str, alt: str, suffix: str = "") -> Picture | None:
    """A picture of the artefact's own, with its overlay where it has one."""
    entry = artefact.files.get(f"image{suffix}")
    if entry is None:
        return None
    base, overlay = media.url(slot, artefact, f"image{suffix}"), media.url(slot, artefact, f"overlay{suffix}")
    return Picture(base, alt, overlay, tuple(entry["size"]) if "size" in entry else None)


def _graph(artefact: Artefact, media: Media, slot: str) -> Graph:
    rows = (artefact.numbers or {}).get("features", ())
    size = graph_size([row["weight"] for row in rows])
    picture = Picture(media.url(slot, artefact, "graph"), "How much each feature counts for the answer", size=size)
    # Three significant digits, as in the drawing
    return Graph(picture, tuple((i, f"{row['weight']:+.3g}") for i, row in enumerate(rows, start=1)))


def graph_size(weights: Sequence[float]) -> tuple[int, int]:
    """Width and height in pixels of the drawing with these coefficients, which the page lists beside it.

    Pages keep room of this shape while the drawing loads. It is told from the numbers, as files of drawings do not say
    their size (studies/artefact_files.py); the drawing's own shape takes over when it is there.
    """
    # Features of weight 0 are not drawn; without any other there is one row that says so.
    drawn = sum(weight != 0 for weight in weights)
    return GRAPH_WIDTH, 2 * GRAPH_MARGIN + GRAPH_ROW * max(1, drawn)


def _words(rows: object) -> tuple[Word, ...]:
    assert isinstance(rows, list | tuple)
    return tuple(Word(row["text"], row.get("level", 0)) for row in rows)
