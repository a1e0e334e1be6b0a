"""YAML mappings that keep their comments: read, merged into one another, taken apart."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.scalarfloat import ScalarFloat

from fieldguide.errors import ParamsError
from fieldguide.params import read_yaml

COMMENT_COLUMN = 40


def read_commented(file: Path) -> CommentedMap:
    """A YAML mapping with its comments. Raises ParamsError as `params.read_yaml` does."""
    content: CommentedMap = read_yaml(file, "rt")
    return content


def merge(shape: CommentedMap, where: str, *layers: Any) -> CommentedMap:
    """`shape`, a part of base, with the values of the last of `layers` that names each; its comments and style stay.

    Raises ParamsError naming a key below `where` that `shape` lacks.
    """
    for layer in layers:
        if not isinstance(layer, Mapping):
            raise ParamsError(f"key '{where}' is {layer!r}; expected a mapping")
        for key in layer:
            if key not in shape:
                raise ParamsError(f"key '{_join(where, key)}' is unknown; expected one of {', '.join(map(str, shape))}")
    merged = CommentedMap()
    if shape.fa.flow_style():
        merged.fa.set_flow_style()
    for key, value in shape.items():
        given = [layer[key] for layer in layers if key in layer]
        if isinstance(value, CommentedMap) and value and all(isinstance(other, Mapping) for other in given):
            merged[key] = merge(value, _join(where, key), *given)
        else:
            merged[key] = _plain(given[-1] if given else value)
    _take_comments(merged, shape, list(shape))
    return merged


def _join(where: str, key: object) -> str:
    return f"{where}.{key}" if where else str(key)


def _plain(value: Any) -> Any:
    """A value in the form that DVC's writer keeps: numbers and texts without style, lists as blocks."""
    if isinstance(value, Mapping):
        plain = CommentedMap((key, _plain(inner)) for key, inner in value.items())
        if not any(isinstance(inner, list | Mapping) and inner for inner in value.values()):
            plain.fa.set_flow_style()
        return plain
    if isinstance(value, list | tuple):
        return [dict(item) if isinstance(item, Mapping) else _plain(item) for item in value]
    return float(value) if isinstance(value, ScalarFloat) else value


def take(target: CommentedMap, source: CommentedMap, keys: Iterable[str]) -> None:
    """Add some keys of `source` to `target`, with their comments; those already there get its values."""
    keys = list(keys)
    target.update({key: source[key] for key in keys})
    _take_comments(target, source, keys)


def _take_comments(target: CommentedMap, source: CommentedMap, keys: Iterable[str]) -> None:
    for key in keys:
        if key in source.ca.items and (comment := source.ca.items[key][2]):
            text = comment.value.splitlines()[0].lstrip("# ")
            target.yaml_add_eol_comment(text, key, column=COMMENT_COLUMN)


def remove_comments(entry: CommentedMap) -> None:
    """Drop the comments of a mapping and of all within it."""
    entry.ca.items.clear()
    for inner in entry.values():
        if isinstance(inner, CommentedMap):
            remove_comments(inner)


def heading(content: Mapping[str, Any]) -> str:
    """The comment that a file begins with, without its `#`; empty if there is none."""
    tokens = (content.ca.comment or [None, None])[1] if isinstance(content, CommentedMap) else None
    return "".join(token.value.strip().lstrip("# ") + "\n" for token in tokens or () if token.value.strip())
