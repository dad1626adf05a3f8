"""A study as the text of a study file, with every value written out: read again it is the same study."""

from __future__ import annotations

from typing import Any

import yaml

from studies.config import StudyConfig
from studies.yaml_strict import must_be_quoted


class _Dumper(yaml.SafeDumper):
    """Quotes what the strict reader wants quoted, and never writes aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    # Outside of quotation marks PyYAML writes U+0085 as a line end, which is read as a space.
    style = '"' if must_be_quoted(value) or "\x85" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def study_file(config: StudyConfig) -> str:
    """The text; keys that hold nothing are left out."""
    values = _something(config.model_dump(mode="json"))
    return yaml.dump(values, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


def _something(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _something(inner) for key, inner in value.items() if inner is not None}
    return [_something(inner) for inner in value] if isinstance(value, list) else value
