"""web/exif.js and web/occasion.js: what cameras say of place and time, in every kind of file that browsers open."""

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fieldguide.export.node import WEB, build_script, run_node

NORTH = {1: "N", 2: (48.0, 30.0, 36.0), 3: "E", 4: (16.0, 15.0, 0.0)}
"""48.51° N, 16.25° E, by the numbers that EXIF has for it."""
MAY = "2021:05:12 10:00:00"
FORMATS = ("JPEG", "PNG", "WEBP", "AVIF")
NOTHING = {"latitude": None, "longitude": None, "month": None, "taken": None}
BOTH = {"latitude": 48.51, "longitude": 16.25, "month": 5, "taken": "2021-05-12T10:00:00"}


def exif_of(gps: Mapping[int, Any] | None = None, taken: str | None = None) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 1
    exif[0x010F] = "A maker of cameras with a long name"
    if gps is not None:
        exif[0x8825] = dict(gps)
    if taken is not None:
        exif[0x8769] = {0x9003: taken, 0x9204: 0.5}
    return exif


def photo(kind: str, gps: Mapping[int, Any] | None = None, taken: str | None = None) -> bytes:
    """A black photo of a format by Pillow's name, which says where and when."""
    stream = io.BytesIO()
    Image.new("RGB", (8, 8)).save(stream, kind, exif=exif_of(gps, taken))
    return stream.getvalue()


def jpeg(gps: Mapping[int, Any] | None = None, taken: str | None = None) -> bytes:
    return photo("JPEG", gps, taken)


def late_webp() -> bytes:
    """A photo whose tags are behind more than a megabyte of pixels."""
    noise = np.random.default_rng(5).integers(0, 256, (700, 700, 3)).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(noise).save(stream, "WEBP", lossless=True, exif=exif_of(NORTH, MAY))
    assert stream.tell() > 1_000_000
    return stream.getvalue()


def overwritten(kind: str, start: bytes, offset: int, by: bytes) -> bytes:
    """A photo with bytes changed, so many behind the first `start`."""
    content = bytearray(photo(kind, NORTH, MAY))
    at = content.index(start) + offset
    content[at : at + len(by)] = by
    return bytes(content)


CASES: dict[str, tuple[bytes, dict[str, Any]]] = {
    **{f"both, {kind}": (photo(kind, NORTH, MAY), BOTH) for kind in FORMATS},
    **{f"no such tags, {kind}": (photo(kind), NOTHING) for kind in FORMATS},
    **{f"cut off, {kind}": (photo(kind, NORTH, MAY)[:60], NOTHING) for kind in FORMATS},
    # The same container, with another name and other pixels.
    "both, HEIC": (photo("AVIF", NORTH, MAY).replace(b"ftypavif", b"ftypheic"), BOTH),
    "tags at the end": (late_webp(), BOTH),
    "south and west": (
        jpeg({**NORTH, 1: "S", 3: "W"}),
        {**NOTHING, "latitude": -48.51, "longitude": -16.25},
    ),
    "only the date": (
        jpeg(taken="2021:11:02 10:00:00"),
        {**NOTHING, "month": 11, "taken": "2021-11-02T10:00:00"},
    ),
    "a day without a time": (jpeg(taken="2021:11:02"), {**NOTHING, "month": 11}),
    "an hour that is none": (jpeg(taken="2021:11:02 30:00:00"), {**NOTHING, "month": 11}),
    "a clock that was never set": (jpeg(taken="0000:00:00 00:00:00"), NOTHING),
    "a date in words": (jpeg(NORTH, "yesterday"), {**BOTH, "month": None, "taken": None}),
    "a receiver that found nothing": (jpeg({**NORTH, 2: (0.0, 0.0, 0.0), 4: (0.0, 0.0, 0.0)}), NOTHING),
    "no such latitude": (jpeg({**NORTH, 2: (148.0, 0.0, 0.0)}), NOTHING),
    "half a place": (jpeg({1: "N", 2: (48.0, 30.0, 36.0)}), NOTHING),
    "a place without its hemisphere": (jpeg({2: NORTH[2], 4: NORTH[4]}), NOTHING),
    "a latitude of one number": (jpeg({**NORTH, 2: 48.0}), NOTHING),
    "divided by nothing": (
        overwritten("JPEG", b"\x00\x00\x00\x30\x00\x00\x00\x01", 0, bytes(8)),
        {**BOTH, "latitude": None, "longitude": None},
    ),
    "a directory that lies outside": (overwritten("JPEG", b"MM\x00*", 4, b"\xff\xff\xff\xf0"), NOTHING),
    "tags that are none, PNG": (overwritten("PNG", b"eXIf", 4, b"nonsense"), NOTHING),
    "tags that are none, WebP": (overwritten("WEBP", b"EXIF", 8, b"nonsense"), NOTHING),
    "empty": (b"", NOTHING),
    "no photo": (b"<html>", NOTHING),
    "astray": (b"\xff\xd8\xff\xe1\x00\x00Exif\x00\x00MM\x00*\xff\xff\xff\xff" + bytes(40), NOTHING),
}
"""A file, and what it says."""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What the page's own bundle reads in each file: it holds but a part of the library."""
    folder = tmp_path_factory.mktemp("exif")
    build_script("../tests/web/run_exif.mjs", folder / "run.cjs", None)
    files = []
    for number, (content, _) in enumerate(CASES.values()):
        files.append(folder / str(number))
        files[-1].write_bytes(content)
    return dict(zip(CASES, json.loads(run_node(folder / "run.cjs", *map(str, files))), strict=True))


@pytest.mark.parametrize("name", CASES)
def test_what_a_camera_says_is_understood(name: str, told: dict[str, dict[str, Any]]) -> None:
    assert told[name] == pytest.approx(CASES[name][1], abs=1e-6)


PLACE = {**NOTHING, "latitude": 1, "longitude": 2}
TIME = {**NOTHING, "month": 5, "taken": "2021-05-12T10:00:00"}
OTHER = {"latitude": 3, "longitude": 4, "month": 6, "taken": None}
GATHERED: list[tuple[list[dict[str, Any]], dict[str, Any], dict[str, Any]]] = [
    ([], {}, {**NOTHING, "from": None}),
    ([NOTHING, NOTHING], {}, {**NOTHING, "from": None}),
    ([NOTHING, PLACE, OTHER], {}, {**PLACE, "month": 6, "from": "photo"}),
    ([TIME, OTHER, PLACE], {}, {**TIME, "latitude": 3, "longitude": 4, "from": "photo"}),
    ([OTHER, TIME], {}, {**OTHER, "from": "photo"}),
    ([OTHER], {"month": 9, "taken": None}, {**OTHER, "month": 9, "from": "photo"}),
    ([OTHER], {"latitude": 0, "longitude": 0, "from": "map"}, {**OTHER, "latitude": 0, "longitude": 0, "from": "map"}),
    ([OTHER], {"latitude": None, "longitude": None, "from": None}, {**NOTHING, "month": 6, "from": None}),
]
"""What photos say, what the reader chose, and what comes of both."""


def test_the_first_photo_that_says_it_counts_and_the_reader_more(tmp_path: Path) -> None:
    script = tmp_path / "ask.mjs"
    script.write_text(
        f"import {{ gather }} from {json.dumps((WEB / 'occasion.js').as_uri())};\n"
        f"const jobs = {json.dumps([(told, chosen) for told, chosen, _ in GATHERED])};\n"
        "console.log(JSON.stringify(jobs.map((job) => gather(...job))));\n"
    )
    assert json.loads(run_node(script)) == [expected for *_, expected in GATHERED]
