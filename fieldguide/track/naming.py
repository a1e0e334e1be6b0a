"""What people call a pipeline run: its preset, and what was changed of its parameters."""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

PRESETS = Path("presets")
SWEEP_VARIABLE = "FIELDGUIDE_SWEEP"
"""Says `SWEEP/NUMBER` where a pipeline run is a trial of a sweep."""
MOST_CHANGES = 3
MOST_CHARACTERS = 60
"""Of a value; a longer one is cut."""


def preset_of(params: str, presets: Path = PRESETS) -> str | None:
    """The preset that a params.yaml was written from, told by the sentence both begin with; None if none is known."""
    heading = params.partition("\n")[0]
    if not heading.startswith("#"):
        return None
    found = (file.stem for file in sorted(presets.glob("*.yaml")) if _heading(file) == heading)
    return next(found, None)


def sweep_tags() -> dict[str, str]:
    """`sweep` and `trial` of a run that a sweep started, else nothing."""
    name, _, number = os.environ.get(SWEEP_VARIABLE, "").rpartition("/")
    return {"sweep": name, "trial": number} if name else {}


def describe_changes(params: str, before: str | None) -> str:
    """What one params.yaml says otherwise than another: `distill_student.temperature=5, embed.batch_size=64`, or ``."""
    old, new = _leaves(before), _leaves(params)
    if not old:
        return ""
    changes = [f"{name}={_short(value)}" for name, value in new.items() if name not in old or old[name] != value]
    changes += [f"{name} left out" for name in old if name not in new]
    rest = len(changes) - MOST_CHANGES
    return ", ".join(changes[:MOST_CHANGES] + ([f"{rest} more"] if rest > 0 else []))


def flatten(content: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf of nested mappings with its dotted name; lists are leaves."""
    for key, value in content.items():
        if isinstance(value, Mapping):
            yield from flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _heading(file: Path) -> str:
    with file.open(encoding="utf-8") as stream:
        return stream.readline().rstrip("\n")


def _leaves(params: str | None) -> dict[str, Any]:
    try:
        content = YAML(typ="safe", pure=True).load(params) if params else None
    except YAMLError:
        content = None
    return dict(flatten(content)) if isinstance(content, Mapping) else {}


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}..."
