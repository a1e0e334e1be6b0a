"""Sixty-four inputs that mean harm or are broken go through fetch and clean: each comes to its expected end."""

import gzip
import io
import struct
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from PIL import Image

from fieldguide.clean.params import CleanParams
from fieldguide.errors import FieldguideError
from fieldguide.fetch.params import FetchParams
from fieldguide.presets import expand, load_overlay
from stages.clean import clean
from stages.fetch import fetch
from tests.images.forged import chunk, oriented, segment, talkative, tiff_header, with_chunks, with_segments
from tests.images.pictures import blotches, encode

LONGEST_LINE = 2_000


def photo(seed: int) -> Image.Image:
    return blotches(seed, 240, 180)


JPEG, PNG = encode(photo(1)), encode(photo(2), "PNG")
PHOTOS: dict[str, tuple[bytes, str]] = {
    "empty.jpg": (b"", "empty"),
    "page.jpg": (b"<!DOCTYPE html><title>404</title>", "not_an_image"),
    "script.jpg": (b"#!/bin/sh\ntouch harmed\n", "not_an_image"),
    "pickle.jpg": (b"\x80\x04\x95cposix\nsystem\n(S'touch harmed'\ntR.", "not_an_image"),
    "archive.jpg": (gzip.compress(bytes(10**6)), "not_an_image"),
    "pointer.jpg": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "not_an_image"),
    "drawing.png": (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "unsupported"),
    "document.jpg": (encode(photo(3), "PDF"), "unsupported"),
    "iphone.jpg": (b"\0\0\0\x18ftypheic" + bytes(99), "unsupported"),
    "cinema.jpg": (encode(photo(4), "JPEG2000"), "unsupported"),
    "half.jpg": (JPEG[: len(JPEG) // 2], "truncated"),
    "half.png": (PNG[: len(PNG) // 2], "truncated"),
    "wide.tif": (tiff_header(2**32 - 1, 1), "bomb"),
    "vast.tif": (tiff_header(2**31, 2**31), "bomb"),
    "vast.png": (PNG[:8] + chunk(b"IHDR", struct.pack(">II", 60_000, 60_000) + PNG[24:29]) + PNG[33:], "bomb"),
    "scans.jpg": (JPEG[:-2] + segment(0xDA, b"\1\1\0\1\x3f\0") * 5_000 + JPEG[-2:], "costly"),
    "thin.jpg": (encode(photo(5).resize((240, 8))), "too_small"),
    "dot.gif": (encode(Image.new("RGB", (1, 1)), "GIF"), "too_small"),
    "no end.jpg": (encode(photo(6))[:-2], "kept"),
    "orientation 4294967295.jpg": (oriented(encode(photo(7)), 2**32 - 1), "kept"),
    "orientation a float.jpg": (oriented(encode(photo(8)), 0x3F800000, 11), "kept"),
    "Exif of noise.jpg": (with_segments(encode(photo(9)), segment(0xE1, b"Exif\0\0" + bytes(range(256)) * 9)), "kept"),
    "profile of noise.jpg": (encode(photo(10), icc_profile=bytes(range(256)) * 4), "kept"),
    "words.jpg": (talkative("JPEG", photo(11)), "kept"),
    "words.png": (talkative("PNG", photo(12)), "kept"),
    "bad checksum.png": (with_chunks(encode(photo(13), "PNG"), chunk(b"tEXt", b"a\0b", is_sound=False)), "kept"),
    "packed text.png": (with_chunks(encode(photo(14), "PNG"), chunk(b"zTXt", b"a\0\0" + bytes(99))), "kept"),
    "modern.avif": (encode(photo(15), "AVIF"), "kept"),
    "moving.webp": (encode(photo(16), "WEBP", save_all=True, append_images=[photo(17)]), "kept"),
    "print.jpg": (encode(photo(18).convert("CMYK")), "kept"),
    "\x1b[2Jclear.jpg": (encode(photo(19)), "kept"),
    "\u202egnp.exe.jpg": (encode(photo(20)), "kept"),
    "=cmd|' calc'!A0.jpg": (encode(photo(21)), "kept"),
    "-rf $(touch harmed).jpg": (encode(photo(22)), "kept"),
}
"""A file's name, its bytes, and what clean says of it."""


def packed(content: bytes, mode: str = "w:gz") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:  # type: ignore[call-overload]
        entry = tarfile.TarInfo("Aster/1.jpg")
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def zipped(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/"), content)
    return buffer.getvalue()


OBSERVATIONS: dict[str, Any] = {"kind": "observations", "columns": {"url": "url", "label": "name"}}
FOLDERS: dict[str, Any] = {"kind": "folders"}
DWCA: dict[str, Any] = {"kind": "dwca", "label": "species"}
COCO: dict[str, Any] = {"kind": "inat2017", "photos": "photos"}
CSV = b"url,name\n"
SOURCES: dict[str, tuple[str, bytes, dict[str, Any]]] = {
    "an empty table": ("t.csv", b"", OBSERVATIONS),
    "a header alone": ("t.csv", CSV, OBSERVATIONS),
    "a header given twice": ("t.csv", b"url,name,url\na,b,c\n", OBSERVATIONS),
    "a column that is not there": ("t.csv", b"address,name\na,b\n", OBSERVATIONS),
    "NUL in a table": ("t.csv", CSV + b"1\x00.jpg,Aster\n", OBSERVATIONS),
    "UTF-16": ("t.csv", "url,name\n1.jpg,Aster\n".encode("utf-16"), OBSERVATIONS),
    "no UTF-8": ("t.csv", CSV + b"1.jpg,\xff\xfe\n", OBSERVATIONS),
    "an open quote": ("t.csv", CSV + b'1.jpg,"Aster' + b"x" * 200_000, OBSERVATIONS),
    "no JSON": ("t.jsonl", b"{url: 1}\n", OBSERVATIONS),
    "a number of 5,000 digits": ("t.jsonl", b'{"url": ' + b"9" * 5_000 + b"}\n", OBSERVATIONS),
    "ten thousand brackets": ("t.jsonl", b"[" * 10_000 + b"\n", OBSERVATIONS),
    "a list for a row": ("t.jsonl", b'["url"]\n', OBSERVATIONS),
    "gzip that ends": ("t.csv.gz", gzip.compress(CSV * 9_999)[:-9], OBSERVATIONS),
    "gzip of noise": ("t.csv.gz", b"\x1f\x8b\x08" + bytes(range(256)), OBSERVATIONS),
    "no Parquet": ("t.parquet", b"PAR1" + bytes(64) + b"PAR1", OBSERVATIONS),
    "a path that leads out": ("t.csv", CSV + b"../../../etc/passwd,Aster\n", OBSERVATIONS),
    "an absolute path": ("t.csv", CSV + b"/etc/passwd,Aster\n", OBSERVATIONS),
    "a file URL": ("t.csv", CSV + b"file:///etc/passwd,Aster\n", OBSERVATIONS),
    "loopback": ("t.csv", CSV + b"http://127.0.0.1:9/1.jpg,Aster\n", OBSERVATIONS),
    "loopback in full-width digits": ("t.csv", CSV + "http://１２７.0.0.1:9/1.jpg,Aster\n".encode(), OBSERVATIONS),
    "loopback in circled digits": ("t.csv", CSV + "http://①②⑦。0。0。1:9/1.jpg,Aster\n".encode(), OBSERVATIONS),
    "a bucket nobody named": ("t.csv", CSV + b"s3://private/1.jpg,Aster\n", OBSERVATIONS),
    "three thousand archives in archives": ("t.csv", CSV + b"tar://" * 3_000 + b"1::a.tar,Aster\n", OBSERVATIONS),
    "a tar that ends": ("a.tar", packed(bytes(9_000), "w")[:5_000], FOLDERS),
    "a gigabyte in a megabyte": ("a.tar.gz", packed(bytes(3 * 10**8)), FOLDERS),
    "no zip": ("a.zip", b"PK\x03\x04" + bytes(99), FOLDERS),
    "a Darwin Core archive without meta.xml": ("d.zip", zipped(observations=b"id\n1\n"), DWCA),
    "a meta.xml of entities": (
        "d.zip",
        zipped(**{"meta.xml": b'<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]><archive>&c;</archive>'}),
        DWCA,
    ),
    "COCO of nothing": ("c.json", b"{}", COCO),
    "COCO that ends": ("c.json", b'{"images": [{"id": 1, "file_na', COCO),
}
"""A file's name, its bytes, and the section of params.yaml that reads it; fetch says on one line what is wrong."""


def section(name: str, **changes: Any) -> dict[str, Any]:
    return {**expand(load_overlay("sample"))[name], **changes}


def bring(root: Path, source: dict[str, Any], **changes: Any) -> Path:
    """Run fetch in `root`; its output."""
    no_regions = {"polygons": None, "boxes": {}, "countries": {}}
    params = FetchParams.model_validate(section("fetch", sources={"s": source}, regions=no_regions, **changes))
    fetch(params, data=root / "data", out=root / "fetch")
    return root / "fetch"


@pytest.mark.slow
def test_every_photo_gets_its_reason(tmp_path: Path, capfd: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "data" / "photos" / "Aster alpinus"
    folder.mkdir(parents=True)
    for name, (content, _) in PHOTOS.items():
        (folder / name).write_bytes(content)
    source = {"kind": "folders", "roots": ["data/photos"], "fill": {"licence": "CC0-1.0"}}
    fetched = bring(tmp_path, source, max_failure_rate=1.0)
    params = CleanParams.model_validate(section("clean", max_failure_rate=1.0))
    (tmp_path / "forgotten.csv").write_text("kind,value\n")
    clean(params, fetch=fetched, out=tmp_path / "clean", reports=tmp_path / "reports")
    catalogue = pl.read_parquet(fetched / "catalogue.parquet")
    verdicts = pl.read_parquet(tmp_path / "clean" / "verdicts.parquet").join(catalogue, on="photo_id")
    found = {Path(row["url"]).name: row["reason"] for row in verdicts.iter_rows(named=True)}
    assert found == {name: reason for name, (_, reason) in PHOTOS.items()}
    assert not list(tmp_path.rglob("harmed"))
    shown = capfd.readouterr()
    for text in (shown.out, shown.err, (tmp_path / "reports" / "index.html").read_text()):
        assert all(line.isprintable() for line in text.replace("\t", " ").split("\n"))


@pytest.mark.parametrize(("name", "content", "source"), SOURCES.values(), ids=SOURCES)
def test_every_source_is_refused_on_one_line_that_names_it(
    name: str, content: bytes, source: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    (tmp_path / "data").mkdir()
    (tmp_path / "tmp").mkdir()
    (tmp_path / "data" / name).write_bytes(content)
    where = {"roots": [f"data/{name}"]} if source is FOLDERS else {"path": f"data/{name}"}
    with pytest.raises(FieldguideError) as caught:
        bring(tmp_path, {**source, **where}, max_failure_rate=0.0)
    line = str(caught.value)
    assert line.isprintable()
    assert len(line) <= LONGEST_LINE
    assert name in line or "s:" in line or "1 of 1 rows" in line, line
