"""All pictures of one attribution, each modality in the form that suits its atoms: what a notebook calls."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

from analysis_core.arguments import one_attribution
from analysis_core.errors import BadInput
from analysis_core.types import PICTURE_KINDS, SERIES_KINDS, Attribution, Encoded
from analysis_core.visualizations import boxes, formats, heatmap, picture, time_map, unseen, words
from analysis_core.visualizations.attribution import pixels

PNG, SVG = "image/png", "image/svg+xml"


@dataclass(frozen=True)
class Drawing:
    """One picture: its bytes and media type, and both formats on demand."""

    data: bytes
    media_type: str
    title: str
    #: What a caption has to say and the picture itself has no room for, such as a transparent overlay.
    note: str = ""

    def png(self) -> bytes:
        return self.data if self.media_type == PNG else formats.png_of(self.data)

    def svg(self) -> bytes:
        return self.data if self.media_type == SVG else formats.svg_of(self.data, title=self.title, note=self.note)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        """What Jupyter shows."""
        return {self.media_type: self.data.decode() if self.media_type == SVG else self.data}


def draw(attribution: Attribution, encoded: Encoded, *, image: Any = None, opacity: float = 0.6) -> dict[str, Drawing]:
    """A picture per modality of an attribution's values.

    encoded: the sample as the model encodes it (`model.encode(sample)`): its atoms say what each value belongs to
    image:   Pillow image or array uint8 [H, W, 3]; maps and outlines are laid on it. None = a transparent overlay
    returns: words and static fields: a highlighted line (SVG); superpixels, patches, pixels: a heatmap, signed where
             values are (PNG); regions with boxes: outlines (PNG; an image is needed); time steps and step x channel: a
             map over time (SVG). What a pre-selection left out (config["selected"]) is hatched in grey and named in
             words, in the picture or, of a transparent overlay, in the drawing's title and note: it is no 0
    raises:  BadInput (values that do not fit the atoms, means in boxes, regions without an image)
    """
    _refuse_boxes(one_attribution(attribution))
    drawn = {}
    for modality, values in attribution.values.items():
        if modality not in encoded.atoms or len(values) != len(encoded.atoms[modality]):
            raise BadInput(f"the values of {modality!r} do not belong to this sample's atoms")
        title = f"{attribution.method}: importance of {modality}"
        left_out = _left_out(attribution, modality, len(values))
        drawn[modality] = _drawing(_numbers(values), encoded, modality, title, image, opacity, left_out)
    return drawn


def draw_interaction(
    attribution: Attribution, encoded: Encoded, atom: int | str, *, image: Any = None, opacity: float = 0.6
) -> Drawing:
    """What one atom of the source modality interacts with, on the other modality: a row of a cross-modal result.

    atom:    its index in the source modality, or its name (the first of several that are spelled alike); in a result of
             phrases the phrase's number, or its words with a space between them
    returns: the pixel map where the result has one, else the pairs as `draw` shows values, what was left out hatched
    raises:  BadInput (no cross-modal result, means in boxes, another sample's encoding, an atom that was not explained
             or that a pre-selection left out)
    """
    config = one_attribution(attribution).config
    if attribution.pairs is None or not {"source", "to"} <= set(config):
        raise BadInput(f"{attribution.method} has no pairs of atoms to draw")
    to = str(config["to"])
    _refuse_boxes(attribution)
    row, name = _row(attribution, encoded, atom)
    title = f"{attribution.method}: {name} with {to}"
    if attribution.pixels is not None:
        layer = pixels(_numbers(attribution.pixels[row]))
        return Drawing(layer if image is None else heatmap.compose(image, layer, opacity), PNG, title)
    numbers = _numbers(attribution.pairs[row])
    return _drawing(numbers, encoded, to, title, image, opacity, _left_out(attribution, to, len(numbers)))


def _row(attribution: Attribution, encoded: Encoded, atom: int | str) -> tuple[int, str]:
    """The row of an atom or phrase, and what it is called."""
    config, pairs = attribution.config, attribution.pairs
    assert pairs is not None
    source, to = str(config["source"]), str(config["to"])
    chosen = [int(i) for i in config.get("atoms") or range(len(pairs))]
    sizes = [len(encoded.atoms[m]) if m in encoded.atoms else 0 for m in (source, to)]
    if max(chosen, default=0) >= sizes[0] or pairs.shape[1] != sizes[1]:
        raise BadInput(f"the pairs of {source!r} and {to!r} do not belong to this sample's atoms: encode its own")
    names = encoded.atoms[source].names
    if "phrases" in config:
        words = [[int(i) for i in group] for group in config["phrases"]]
        labels, numbers = [" ".join(names[i] for i in group) for group in words], list(range(len(words)))
        index = labels.index(atom) if isinstance(atom, str) and atom in labels else atom
        what = "phrases"
    else:
        words, labels, numbers = [[i] for i in chosen], [names[i] for i in chosen], chosen
        index = names.index(atom) if isinstance(atom, str) and atom in names else atom
        what = "explained atoms"
    if index not in numbers:
        raise BadInput(f"{atom!r} is not among the {what} of {source!r}: {labels}")
    row = numbers.index(int(index))
    selected = config.get("selected")
    if selected is not None and not set(words[row]) <= set(selected[source]):
        raise BadInput(
            f"{labels[row]!r} was not selected, so its pairs were never looked at: raise preselect, or draw one of "
            f"{[names[i] for i in selected[source]]}"
        )
    return row, labels[row]


def _refuse_boxes(attribution: Attribution) -> None:
    if "boxes" in attribution.config:
        raise BadInput(f"{attribution.method} holds means in boxes, not atoms: draw the result they were read from")


def _left_out(attribution: Attribution, modality: str, n: int) -> unseen.Mask:
    """bool [n]: atoms that a pre-selection left out; nothing is known of them."""
    selected = attribution.config.get("selected", {}).get(modality)
    found = np.zeros(n, dtype=bool) if selected is None else np.ones(n, dtype=bool)
    found[[] if selected is None else list(selected)] = False
    return found


def _numbers(values: Any) -> Any:
    return np.asarray(values.detach().cpu() if hasattr(values, "detach") else values, dtype=np.float64)


def _drawing(
    values: Any, encoded: Encoded, modality: str, title: str, image: Any, opacity: float, left_out: unseen.Mask
) -> Drawing:
    atoms, shape = encoded.atoms[modality], tuple(encoded.x[modality].shape)
    groups = None if atoms.groups is None else atoms.groups.cpu().numpy()
    note = unseen.note(int(left_out.sum()), len(left_out)) if left_out.any() else ""
    title = f"{title} ({note})" if note else title
    if atoms.kind in PICTURE_KINDS:
        weights = heatmap.spread_groups(values, groups, shape[-2], shape[-1])
        upscale = heatmap.display_scale(shape[-1], shape[-2])
        layer = heatmap.overlay(weights, signed=bool((values < 0).any()), upscale=upscale, edges="round")
        if note:
            marked = heatmap.spread_groups(left_out, groups, shape[-2], shape[-1]) > 0
            layer = unseen.on_pixels(layer, marked)
        return _on_picture(layer, title, image, opacity, note)
    if atoms.kind == "region" and atoms.boxes is not None:
        if image is None:
            raise BadInput(f"regions of {modality!r} are drawn on their picture: hand it over as image=")
        size = picture.flatten(image).size
        upscale = heatmap.display_scale(*size)
        corners = atoms.boxes.cpu().numpy()
        outlines = boxes.overlay(size, corners[~left_out], values[~left_out], upscale=upscale)
        if note:
            # Below the outlines of what was looked at.
            hatched = boxes.hatched(size, corners[left_out], upscale=upscale)
            image = Image.open(BytesIO(heatmap.compose(image, hatched, 1.0)))
        return _on_picture(outlines, title, image, 1.0, note)
    if atoms.kind in SERIES_KINDS:
        channels = [f"channel {c}" for c in range(shape[2])]
        series = encoded.x[modality][0].detach().cpu().double().numpy()
        table = heatmap.spread_groups(values, groups, shape[1], shape[2])
        marked = heatmap.spread_groups(left_out, groups, shape[1], shape[2]) > 0
        card = time_map.svg(table, channels, title=title, series=series, not_looked_at=marked)
        return Drawing(card, SVG, title)
    if atoms.kind == "time_step":
        card = time_map.svg(values[:, None], [modality], title=title, not_looked_at=left_out[:, None])
        return Drawing(card, SVG, title)
    return Drawing(words.svg(atoms.names, values, title=title, not_looked_at=left_out), SVG, title)


def _on_picture(layer: bytes, title: str, image: Any, opacity: float, note: str) -> Drawing:
    if image is None:
        return Drawing(layer, PNG, title, note)
    composed = heatmap.compose(image, layer, opacity)
    return Drawing(unseen.captioned(composed, note) if note else composed, PNG, title)
