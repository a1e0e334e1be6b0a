"""Looking into params as plain data, of which any part may be absent or of another kind."""

from collections.abc import Iterator, Mapping
from typing import Any

Params = Mapping[str, Any]


def get(content: Any, *keys: str) -> Any:
    """What stands at the end of `keys`, None where the way ends before."""
    for key in keys:
        content = content.get(key) if isinstance(content, Mapping) else None
    return content


def mapping(content: Any, *keys: str) -> Mapping[str, Any]:
    """`get`, an empty mapping where no mapping stands there."""
    found = get(content, *keys)
    return found if isinstance(found, Mapping) else {}


def teachers(params: Params) -> dict[str, Mapping[str, Any]]:
    """The entries of `train_teacher` that are mappings."""
    entries = mapping(params, "train_teacher").items()
    return {str(name): entry for name, entry in entries if isinstance(entry, Mapping)}


def networks(params: Params) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every network that is trained, by its section."""
    for name, teacher in teachers(params).items():
        yield f"train_teacher.{name}", teacher
    if student := mapping(params, "distill_student"):
        yield "distill_student", student


def listed(names: Any) -> str:
    """`a, b, c`"""
    return ", ".join(map(str, names))
