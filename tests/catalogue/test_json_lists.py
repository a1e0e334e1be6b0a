"""Lists of a JSON file are streamed; what Python writes and JSON lacks is nothing."""

import io
import json
import math
from pathlib import Path
from typing import Any

import pytest

from fieldguide.catalogue.sources.json_lists import _NullForNan, read_objects
from fieldguide.errors import CatalogueError


def read(path: Path, content: Any, name: str = "images") -> list[tuple[int, dict[str, Any]]]:
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return list(read_objects(path, name))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"images": [{"id": 1}, {"id": 2}]}, [(1, {"id": 1}), (2, {"id": 2})]),
        ({"images": [{"id": 1.5, "b": {"c": [1]}}], "x": [{"id": 3}]}, [(1, {"id": 1.5, "b": {"c": [1]}})]),
        ({"images": [{"a": math.nan, "b": math.inf, "c": -math.inf}]}, [(1, {"a": None, "b": None, "c": None})]),
        (
            {"images": [{"name": "NaN", "b": "a NaN", "c": "Infinity"}]},
            [(1, {"name": "NaN", "b": "a NaN", "c": "Infinity"})],
        ),
        ({"images": None}, []),
        ({}, []),
    ],
)
def test_read_objects(tmp_path: Path, content: Any, expected: Any) -> None:
    assert read(tmp_path / "a.json", content) == expected


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"images": {"1": {}}}, r"a\.json: `images` is no list \(map\)"),
        ({"images": "x"}, r"a\.json: `images` is no list \(string\)"),
        ({"images": [1]}, r"a\.json, images\[1\]: got 1; expected an object"),
        ('{"images": [{"id": 1}, {', r"a\.json, after images\[1\], cannot be read: parse error: premature EOF"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, content: Any, message: str) -> None:
    with pytest.raises(CatalogueError, match=message):
        read(tmp_path / "a.json", content)


@pytest.mark.parametrize("size", [1, 7, 64, 65, 1000])
def test_pieces_of_any_size_are_the_same(size: int) -> None:
    content = json.dumps([math.nan, {"a": "é" * 50, "b": -math.inf}] * 40).encode()
    stream = _NullForNan(io.BytesIO(content))
    pieces = list(iter(lambda: stream.read(size), b""))
    assert json.loads(b"".join(pieces)) == [None, {"a": "é" * 50, "b": None}] * 40
