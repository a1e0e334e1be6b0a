"""YAML mappings that keep their comments: read, merged into one another, taken apart."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarfloat import ScalarFloat
from ruamel.yaml.scalarstring import LiteralScalarString

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
        if isinstance(value, CommentedMap) and given and not isinstance(given[-1], Mapping):
            # Null takes the place of a mapping that may be left out, never that of a whole section.
            if not (where and value and given[-1] is None):
                raise ParamsError(f"key '{_join(where, key)}' is {given[-1]!r}; expected a mapping")
            merged[key] = None
        elif isinstance(value, CommentedMap) and value:
            merged[key] = merge(value, _join(where, key), *(other for other in given if other is not None))
        else:
            merged[key] = _plain(given[-1] if given else value)
    # After a text of several lines a comment would stand on a line of its own.
    _take_comments(merged, shape, [key for key in shape if not isinstance(merged[key], LiteralScalarString)])
    return merged


def _join(where: str, key: object) -> str:
    return f"{where}.{key}" if where else str(key)


def _plain(value: Any) -> Any:
    """A copy of a value that stands on one line, but for lists of mappings and mappings of lists or mappings."""
    copy: CommentedMap | CommentedSeq
    if isinstance(value, Mapping):
        copy = CommentedMap((key, _plain(inner)) for key, inner in value.items())
        stands_on_one_line = not any(isinstance(inner, list | Mapping) and inner for inner in copy.values())
    elif isinstance(value, list | tuple):
        copy = CommentedSeq(_plain(inner) for inner in value)
        stands_on_one_line = not any(isinstance(inner, Mapping) for inner in copy)
        for inner in copy:
            if isinstance(inner, CommentedMap):
                inner.fa.set_flow_style()
    else:
        return float(value) if isinstance(value, ScalarFloat) else value
    if stands_on_one_line:
        copy.fa.set_flow_style()
    return copy


def take(target: CommentedMap, source: CommentedMap, keys: Iterable[str]) -> None:
    """Add some keys of `source` to `target`, with their comments; those already there get its values."""
    keys = list(keys)
    target.update({key: source[key] for key in keys})
    _take_comments(target, source, keys)


def _take_comments(target: CommentedMap, source: CommentedMap, keys: Iterable[str]) -> None:
    for key in keys:
        comment = source.ca.items[key][2] if key in source.ca.items else None
        # What follows on further lines, blank ones too, belongs to the comment of ruamel's key before.
        if comment and comment.value.startswith("#"):
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
