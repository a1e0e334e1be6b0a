"""Every photo is one row with a reason, whatever its bytes are; only a machine without memory ends the work."""

from pathlib import Path

import polars as pl
import pytest
from PIL import Image

from fieldguide.clean import screening
from fieldguide.clean.screening import inspect_photos
from fieldguide.fetch.reading import Originals
from fieldguide.images.decode import Flaw
from fieldguide.tar import TarShardWriter
from tests.clean.test_verdicts import PARAMS
from tests.images.forged import oriented, segment, tiff_header
from tests.images.pictures import blotches, encode

GOOD = encode(blotches(1))
HOSTILE = {
    "orientation": (oriented(GOOD, 2**32 - 1), None),
    "wide": (tiff_header(2**32 - 1, 1), Flaw.BOMB),
    "high": (tiff_header(64, 2**32 - 1), Flaw.BOMB),
    "vast": (tiff_header(2**31, 2**31), Flaw.BOMB),
    "scans": (GOOD[:-2] + segment(0xDA, b"\1\1\0\1\x3f\0") * 1000 + GOOD[-2:], Flaw.COSTLY),
    "heic": (b"\0\0\0\x18ftypheic" + bytes(99), Flaw.UNSUPPORTED),
    "html": (b"<html>", Flaw.NOT_AN_IMAGE),
    "dot": (encode(Image.new("RGB", (1, 1)), "PNG"), Flaw.TOO_SMALL),
}


def write_originals(contents: list[bytes], fetch: Path) -> pl.DataFrame:
    with TarShardWriter(fetch / "shards" / "originals-00000.tar") as tar:
        members = [tar.add(f"{number}.jpg", content) for number, content in enumerate(contents)]
    return pl.DataFrame(
        [("originals-00000.tar", member.offset, member.size) for member in members], orient="row"
    ).rename(dict(zip(("column_0", "column_1", "column_2"), ("shard", "offset", "num_bytes"), strict=True)))


def test_hostile_photos_are_rows_among_others(tmp_path: Path) -> None:
    catalogue = write_originals([GOOD, *(content for content, _ in HOSTILE.values()), GOOD], tmp_path)
    facts = inspect_photos(catalogue, Originals(tmp_path), PARAMS)
    assert facts["flaw"].to_list() == [None, *(flaw and flaw.value for _, flaw in HOSTILE.values()), None]


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (900, 1), (2, 3)])
def test_the_smallest_photos_have_facts(size: tuple[int, int], tmp_path: Path) -> None:
    catalogue = write_originals([encode(Image.new("RGB", size), "PNG")], tmp_path)
    facts = inspect_photos(catalogue, Originals(tmp_path), PARAMS.model_copy(update={"min_side": 1}))
    assert facts["flaw"].to_list() == [None]
    assert facts["sharpness"].null_count() == 0
    # Nothing to tell one from another.
    assert facts["fingerprint"].to_list() == [None]


def test_a_machine_without_memory_ends_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(content: bytes, **_limits: int) -> None:
        raise MemoryError

    monkeypatch.setattr(screening, "inspect", fail)
    with pytest.raises(MemoryError):
        inspect_photos(write_originals([GOOD], tmp_path), Originals(tmp_path), PARAMS)
