"""The layers of a copied model: finding them, their order from the output down, and drawing their weights anew."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from analysis_core import leaves
from analysis_core.errors import BadInput, MissingCapability, UnknownName
from analysis_core.models.base import MultimodalModel
from analysis_core.seeds import generator


class RandomisedCopy:
    """A copy of a model whose layers can be re-initialised; the model itself is never written to.

    model:  the copy
    layers: names of the copy's modules that hold weights of their own, from the output down
    """

    def __init__(self, model: MultimodalModel, sample: Mapping[str, Any]) -> None:
        """sample: one forward pass of it shows the order of the layers

        raises: MissingCapability (no torch module to be found, or the model cannot be copied)
        """
        originals = networks(model)
        if not any(True for net in originals.values() for _ in net.parameters()):
            raise MissingCapability(
                "no weights were found to randomise: the model must be a torch nn.Module, or hold one in an attribute "
                "(such as self.module)"
            )
        try:
            self.model = copy.deepcopy(model)
        except Exception as error:
            raise MissingCapability(f"the model cannot be copied ({error}): give it a __deepcopy__") from error
        copies = networks(self.model)
        self._pairs = [p for name, net in originals.items() for p in _tensors(net, copies[name])]
        if any(ours is theirs for theirs, ours in self._pairs):
            raise MissingCapability("a copy of the model shares its weights: its __deepcopy__ must copy the modules")
        self._modules = _named_modules(copies)
        own = [name for name, module in self._modules.items() if any(True for _ in module.parameters(recurse=False))]
        self.layers = tuple(_from_the_output_down(self.model, self._modules, own, sample))

    def steps(self, layers: Sequence[str] | None, at_most: int) -> dict[str, list[str]]:
        """What is randomised together: step's name -> layers, from the output down.

        layers: names of modules, each a step with all that lies below it; None = all, in at most `at_most` steps
        raises: UnknownName, BadInput (an empty list of layers)
        """
        layers = [layers] if isinstance(layers, str) else layers
        if layers is None:
            parts = min(at_most, len(self.layers))
            edges = [round(i * len(self.layers) / parts) for i in range(parts + 1)]
            groups = [list(self.layers[a:b]) for a, b in itertools.pairwise(edges)]
            return {group[0] if len(group) == 1 else f"{group[0]} to {group[-1]}": group for group in groups}
        if not layers:
            raise BadInput("layers is empty, so that nothing would be randomised: name some, or give None for all")
        found = {}
        for name in layers:
            found[name] = [layer for layer in self.layers if layer == name or layer.startswith(f"{name}.")]
            if not found[name]:
                raise UnknownName("layer", name, self.layers)
        return found

    def randomise(self, layers: Sequence[str], seed: int, *purpose: str) -> None:
        """Draw the layers' weights anew; torch's global generator is left as it was."""
        for layer in layers:
            module = self._modules[layer]
            g = generator(seed, "sanity", *purpose, layer)
            devices = {p.device for p in module.parameters() if p.device.type == "cuda"}
            with torch.no_grad(), torch.random.fork_rng(devices=list(devices)):
                torch.manual_seed(g.initial_seed())
                _reinitialise(module)

    def restore(self) -> None:
        """Give the copy the model's weights again."""
        with torch.no_grad():
            for theirs, ours in self._pairs:
                ours.copy_(theirs)


def networks(model: object, *, around: tuple[object, ...] = ()) -> dict[str, nn.Module]:
    """Torch modules that a model is, or holds in its attributes, in lists and dicts there, or in a model it wraps.

    around: the models that wrap this one
    """
    if isinstance(model, nn.Module):
        return {"": model}
    if any(model is outer for outer in around):
        return {}
    found: dict[str, nn.Module] = {}
    attributes = dict(getattr(model, "__dict__", {}))
    if isinstance(getattr(model, "module", None), nn.Module):
        attributes.setdefault("module", model.module)  # type: ignore[attr-defined]
    for name, value in attributes.items():
        for key, part in _members(value):
            inner = networks(part, around=(*around, model)) if isinstance(part, nn.Module) or is_model(part) else {}
            for below, net in inner.items():
                found[".".join(word for word in (name, key, below) if word)] = net
    return found


def _members(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, list | tuple):
        yield from ((str(i), part) for i, part in enumerate(value))
    elif isinstance(value, dict):
        yield from ((str(key), part) for key, part in value.items())
    else:
        yield "", value


def is_model(value: object) -> bool:
    """Whether it has the protocol's four members."""
    return all(hasattr(value, name) for name in ("modalities", "encode", "forward", "baseline"))


def _named_modules(nets: Mapping[str, nn.Module]) -> dict[str, nn.Module]:
    """Every module below some networks, once, by its path from the model."""
    found: dict[str, nn.Module] = {}
    seen: set[int] = set()
    for prefix, net in nets.items():
        for name, module in net.named_modules():
            if id(module) not in seen:
                seen.add(id(module))
                found[f"{prefix}.{name}".strip(".")] = module
    return found


def _tensors(one: nn.Module, two: nn.Module) -> list[tuple[Tensor, Tensor]]:
    """Parameters and buffers of a module and its copy, in the same order."""
    a, b = ([*net.parameters(), *net.buffers()] for net in (one, two))
    return list(zip(a, b, strict=True))


def _from_the_output_down(
    model: MultimodalModel, modules: Mapping[str, nn.Module], own: Sequence[str], sample: Mapping[str, Any]
) -> list[str]:
    """Layers by when they finish in a forward pass, the last first; those that are never called come last.

    A layer whose weights are read without a call (inside attention) takes the place of the module around it.
    """
    finished: dict[str, int] = {}
    handles = [
        module.register_forward_hook(lambda *_, name=name: finished.__setitem__(name, len(finished)))
        for name, module in modules.items()
    ]
    try:
        with torch.no_grad():
            encoded = leaves.encode(model, sample)
            leaves.forward(model, encoded.x, encoded.aux)
    finally:
        for handle in handles:
            handle.remove()

    def place(name: str) -> int:
        while name and name not in finished:
            name = name.rpartition(".")[0]
        return finished.get(name, -1)

    # Among equals what is written later in the module lies nearer to the output.
    places = {name: (place(name), i) for i, name in enumerate(own)}
    return sorted(own, key=places.__getitem__, reverse=True)


def _reinitialise(module: nn.Module) -> None:
    """Weights as the layer's class draws them; where it says nothing, normal ones of the same mean and spread."""
    before = {name: p.detach().clone() for name, p in module.named_parameters(recurse=False)}
    reset = getattr(module, "reset_parameters", None)
    if callable(reset):
        reset()
    for name, p in module.named_parameters(recurse=False):
        if torch.equal(p, before[name]) and p.is_floating_point() and p.numel() > 1:
            spread = float(before[name].to(torch.float64).std())
            p.copy_(before[name].mean() + spread * torch.randn_like(p))
