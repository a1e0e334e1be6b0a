"""What a choice is: a part of an overlay on presets/base.yaml, and for each value why."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Reason(NamedTuple):
    """One line for people: what was chosen and why."""

    key: str
    """`split.min_samples`."""
    value: str
    why: str


@dataclass
class Choice:
    """Values for params.yaml that fit what was found."""

    overlay: dict[str, Any] = field(default_factory=dict)
    reasons: list[Reason] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def set(self, key: str, value: Any, why: str, shown: str | None = None) -> None:
        """Choose `value` for a dotted key and say why."""
        self.put(key, value)
        self.reasons.append(Reason(key, _text(value) if shown is None else shown, why))

    def put(self, key: str, value: Any) -> None:
        """Choose a value that needs no explanation beside the others."""
        *parents, last = key.split(".")
        place = self.overlay
        for part in parents:
            place = place.setdefault(part, {})
        place[last] = value


def lay_over(lower: Mapping[str, Any], upper: Mapping[str, Any], whole: Iterable[str] = ()) -> dict[str, Any]:
    """`lower` changed by `upper`, key by key; the values of the dotted keys in `whole` are not mixed but replaced."""
    mixed = dict(lower)
    for key, value in upper.items():
        inner = [name.removeprefix(f"{key}.") for name in whole if name.startswith(f"{key}.")]
        below = lower.get(key)
        mixed[key] = (
            lay_over(below, value, inner)
            if isinstance(below, Mapping) and isinstance(value, Mapping) and key not in whole
            else value
        )
    return mixed


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_text(inner)}" for key, inner in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_text, value)) or "none"
    return "null" if value is None else str(value)
