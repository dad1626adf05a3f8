"""A small executor of CLEVR programs on scene JSON, written from the programs' definition alone."""

from __future__ import annotations

from typing import Any


def execute(program: list[dict[str, Any]], objects: list[dict[str, Any]]) -> str:
    """The answer, as CLEVR spells it."""
    results: list[Any] = []
    for node in program:
        inputs = [results[i] for i in node["inputs"]]
        results.append(_step(node["function"], inputs, node["value_inputs"], objects))
    return _spell(results[-1])


def _step(function: str, inputs: list[Any], values: list[str], objects: list[dict[str, Any]]) -> Any:
    name, _, attribute = function.partition("_")
    if function == "scene":
        return list(range(len(objects)))
    if name == "filter":
        return [i for i in inputs[0] if objects[i][attribute] == values[0]]
    if name == "unique":
        assert len(inputs[0]) == 1, "not a unique referent"
        return inputs[0][0]
    if name == "query":
        return objects[inputs[0]][attribute]
    if function in ("equal_color", "equal_shape", "equal_material", "equal_size"):
        return inputs[0] == inputs[1]
    return {
        "count": lambda: len(inputs[0]),
        "exist": lambda: bool(inputs[0]),
        "greater_than": lambda: inputs[0] > inputs[1],
        "less_than": lambda: inputs[0] < inputs[1],
        "except": lambda: [i for i in inputs[0] if i != inputs[1]],
        "pair": lambda: f"{inputs[0]}+{inputs[1]}",
    }[function]()


def _spell(value: Any) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
