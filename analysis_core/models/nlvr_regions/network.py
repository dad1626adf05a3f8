"""The network: a BiLSTM reads the sentence into slots, each slot gates the objects, boxes count and answer.

Everything is smooth (sigmoid, tanh, GELU), so second derivatives exist, and uses plain tensor operations only, so that
double backward works on every device. An absent object adds nothing to any sum: presence multiplies each of its terms.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu

from analysis_core.models.nlvr_regions.regions import (
    BOXES,
    CENTRE,
    PLACES,
    PRESENT,
    SHAPE,
    SIDE,
    SIZE,
    SIZES,
    WIDTH,
)


class BiLstm(nn.Module):
    """A bidirectional LSTM written out: fused ones have no double backward on CPU (mkldnn) or CUDA (cuDNN)."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        scale = 1 / math.sqrt(hidden)
        self.inputs = nn.Parameter(torch.empty(2, width, 4 * hidden).uniform_(-scale, scale))
        self.states = nn.Parameter(torch.empty(2, hidden, 4 * hidden).uniform_(-scale, scale))
        bias = torch.zeros(2, 1, 4 * hidden)
        bias[..., hidden : 2 * hidden] = 1.0
        self.bias = nn.Parameter(bias)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """x [B, T, e], lengths [B] -> [B, T, 2 hidden]; what lies behind a row's length never reaches the rest."""
        step = torch.arange(x.shape[1], device=x.device)
        backwards = torch.where(step < lengths[:, None], lengths[:, None] - 1 - step, step)
        flipped = x.gather(1, backwards[..., None].expand_as(x))
        driven = torch.stack([x, flipped]).flatten(1, 2) @ self.inputs + self.bias
        driven = driven.unflatten(1, x.shape[:2])
        h = c = torch.zeros(2, x.shape[0], self.states.shape[1], dtype=x.dtype, device=x.device)
        outputs = []
        # unbind, not indexing: the gradient of each index would fill a zero tensor of the whole sequence.
        for now in driven.unbind(2):
            i, f, g, o = (now + h @ self.states).chunk(4, dim=-1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            outputs.append(h)
        forward, backward = torch.stack(outputs, dim=2)
        return torch.cat([forward, backward.gather(1, backwards[..., None].expand_as(backward))], dim=-1)


class Slots(nn.Module):
    """Sentence -> slots (what it speaks of, in order) and one vector of the whole."""

    def __init__(self, width: int, slots: int) -> None:
        super().__init__()
        self.score = nn.Sequential(nn.Linear(width, width // 2), nn.Tanh(), nn.Linear(width // 2, slots + 1))

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """states [B, T, w], mask [B, T] -> [B, slots + 1, w]; the last row is the whole"""
        score = self.score(states).masked_fill(~mask[..., None], -1e9)
        return score.softmax(dim=1).transpose(1, 2) @ states


class Neighbours(nn.Module):
    """One layer of attention inside a box: sigmoid weights, so that sums count neighbours."""

    def __init__(self, width: int, heads: int, head_width: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value = (nn.Linear(width, heads * head_width) for _ in range(3))
        self.geometry = nn.Sequential(nn.Linear(7, 24), nn.Tanh(), nn.Linear(24, heads))
        self.mix = nn.Sequential(nn.Linear(width + heads * (head_width + 1), width), nn.GELU(), nn.Linear(width, width))

    def forward(self, objects: Tensor, rows: Tensor, present: Tensor) -> Tensor:
        """objects [B, BOXES, PLACES, w], rows [..., WIDTH], present [..., PLACES] -> objects with their neighbours"""
        q, k, v = (
            part(objects).unflatten(-1, (self.heads, -1)).transpose(-2, -3)
            for part in (self.query, self.key, self.value)
        )
        score = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1]) + self.geometry(_pairs(rows)).movedim(-1, -3)
        other = 1 - torch.eye(PLACES, dtype=rows.dtype, device=rows.device)
        weight = torch.sigmoid(score) * present[:, :, None, None, :] * other
        seen = (weight @ v).transpose(-2, -3).flatten(-2)
        counted = weight.sum(-1).transpose(-1, -2)
        return objects + self.mix(torch.cat([objects, seen, counted], dim=-1))


def _pairs(rows: Tensor) -> Tensor:
    """Geometry [B, BOXES, PLACES, PLACES, 7] of object i as seen from object j, in units of about 1."""
    centre = rows[..., CENTRE] * (SIDE / 2)
    half = (rows[..., SIZE] * torch.tensor(SIZES, dtype=rows.dtype, device=rows.device)).sum(-1) / 2
    dx, dy = (centre[..., :, None, :] - centre[..., None, :, :]).unbind(-1)
    reach = half[..., :, None] + half[..., None, :]
    close = [torch.exp(-(((d.square() + 1).sqrt() - reach) / 4).square()) for d in (dx, dy)]
    within = torch.sigmoid((reach - (dx.square() + 1).sqrt()) / 3)
    return torch.stack([dx / 50, dy / 50, torch.sigmoid(-dy / 4), torch.sigmoid(dy / 4), *close, within], dim=-1)


def ladder(count: Tensor, top: int) -> Tensor:
    """Soft steps "count >= n" for n = 1..top: [...] -> [..., top]."""
    steps = torch.arange(1, top + 1, dtype=count.dtype, device=count.device) - 0.5
    return torch.sigmoid(6 * (count[..., None] - steps))


class Modulated(nn.Module):
    """A layer whose reading of its input depends on the sentence: gelu(Wx * (1 + Vt) + Ut)."""

    def __init__(self, width: int, text: int, out: int) -> None:
        super().__init__()
        self.read, self.scale, self.shift = nn.Linear(width, out), nn.Linear(text, out), nn.Linear(text, out)

    def forward(self, x: Tensor, text: Tensor) -> Tensor:
        return gelu(self.read(x) * (1 + self.scale(text)) + self.shift(text))


class Network(nn.Module):
    """Word embeddings [B, L, e] and region rows [B, BOXES * PLACES, WIDTH] -> logits, features and more."""

    mean_row: Tensor

    def __init__(
        self,
        *,
        words: int,
        embedding: int,
        hidden: int,
        slots: int,
        object_width: int,
        heads: int,
        units: int,
        features: int,
        classes: int = 2,
    ) -> None:
        super().__init__()
        text = 2 * hidden
        self.embedding = nn.Embedding(words, embedding)
        nn.init.normal_(self.embedding.weight, std=0.3)
        self.reader = BiLstm(embedding, hidden)
        self.slots = Slots(text, slots)
        self.objects = nn.Sequential(nn.Linear(WIDTH, object_width), nn.GELU(), nn.Linear(object_width, object_width))
        self.neighbours = Neighbours(object_width, heads, 16)
        self.gate_query, self.gate_bias = nn.Linear(text, object_width), nn.Linear(text, 1)
        box_width = slots * 6 + slots + 7 * 6
        self.box_hidden, self.box_units = Modulated(box_width, text, 96), nn.Linear(96, units)
        scene_width = 3 * units + 6 * slots + 2 * slots + slots + 1 + 3 * 7
        self.scene = Modulated(scene_width, text, 96)
        self.penultimate = nn.Linear(96, features)
        self.answer = nn.Linear(features, classes)
        self.register_buffer("mean_row", torch.zeros(WIDTH))

    def forward(self, text: Tensor, text_mask: Tensor, image: Tensor, image_mask: Tensor) -> dict[str, Tensor]:
        """masks are boolean [B, L] and [B, BOXES * PLACES].

        returns: logits [B, K], features [B, d], gates [B, slots, BOXES, PLACES] and box [B, BOXES] as logits
        """
        return self.fuse(self.see(image, image_mask), self.read(text, text_mask))

    def see(self, image: Tensor, mask: Tensor) -> dict[str, Tensor]:
        """All that is made of regions alone: objects [B, BOXES, PLACES, w], present [...], kinds [B, BOXES, 7]."""
        rows = image.unflatten(1, (BOXES, PLACES))
        present = rows[..., PRESENT] * mask.unflatten(1, (BOXES, PLACES))
        objects = self.neighbours(self.objects(rows), rows, present)
        kinds = (rows[..., PRESENT : SHAPE.stop] * present[..., None]).sum(-2)
        return {"objects": objects, "present": present, "kinds": kinds}

    def fuse(self, seen: dict[str, Tensor], sentence: Tensor) -> dict[str, Tensor]:
        """What was seen, and what was read [B, slots + 1, w] -> what forward returns."""
        objects, present, kinds = seen["objects"], seen["present"], seen["kinds"]
        slots, whole = sentence[:, :-1], sentence[:, -1]
        gates = torch.einsum("bsw,bnpw->bsnp", self.gate_query(slots), objects) / math.sqrt(objects.shape[-1])
        gates = gates + self.gate_bias(slots)[..., None]
        counts = (torch.sigmoid(gates) * present[:, None]).sum(-1).transpose(1, 2)
        units = self._units(counts, kinds, whole)
        features = gelu(self.penultimate(self.scene(_scene(counts, kinds, torch.sigmoid(units)), whole)))
        return {"logits": self.answer(features), "features": features, "gates": gates, "box": units[..., 0]}

    def read(self, text: Tensor, mask: Tensor) -> Tensor:
        """Slots and the whole of sentences [B, L, e]: [B, slots + 1, w]."""
        lengths = mask.sum(1)
        longest = max(int(lengths.max()), 1)
        states = self.reader(text[:, :longest], lengths)
        return self.slots(states, mask[:, :longest])

    def _units(self, counts: Tensor, kinds: Tensor, whole: Tensor) -> Tensor:
        seen = torch.cat([counts, ladder(counts, 6).flatten(-2), ladder(kinds, 6).flatten(-2)], dim=-1)
        return self.box_units(self.box_hidden(seen, whole[:, None]))


def _scene(counts: Tensor, kinds: Tensor, units: Tensor) -> Tensor:
    """Symmetric in the boxes: counts [B, 3, slots], kinds [B, 3, 7], units [B, 3, U] -> [B, ...]."""
    extremes = [(sign * counts / 0.3).logsumexp(1) * 0.3 * sign for sign in (1, -1)]
    pair = torch.cat([counts, kinds[..., :1]], dim=-1)
    same = torch.exp(-4 * (pair - pair.roll(1, dims=1)).square()).sum(1)
    parts = [ladder(units.sum(1), 3).flatten(1), ladder(counts.sum(1), 6).flatten(1), *extremes, same]
    some = ladder((1 - torch.exp(-3 * kinds)).sum(1), 3).flatten(1)
    return torch.cat([*parts, some], dim=1)
