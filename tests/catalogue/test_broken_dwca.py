"""What is wrong in a Darwin Core Archive is named, in one line; a bad row is counted, and the others are read."""

import random
import zipfile
from pathlib import Path
from typing import Any

import pytest

from fieldguide.errors import CatalogueError
from tests.catalogue.darwin_core import FILES, META, rows_of, write_folder, write_zip


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("meta.xml", "</archive>", "", r"meta\.xml cannot be read: no element found"),
        ("meta.xml", "<archive", "<!DOCTYPE x><archive", "with a DOCTYPE"),
        ("meta.xml", "terms/Occurrence", "terms/Taxon", "the core holds Taxon rows; expected Occurrence"),
        (
            "meta.xml",
            "1.0/Multimedia",
            "1.0/Distribution",
            "no extension Multimedia with file addresses; the extensions are Distribution",
        ),
        ("meta.xml", 'encoding="UTF-8" fieldsT', 'encoding="UTF-16" fieldsT', "encoding UTF-16; expected utf-8"),
        ("meta.xml", r'By="\t"', 'By="--"', "fieldsTerminatedBy '--', .*; expected one character"),
        ("meta.xml", "Enclosed" + "By='\"'", 'EnclosedBy="ab"', "fieldsEnclosedBy 'ab'; expected one character"),
        ("meta.xml", '<id index="0"/>', '<id index="-1"/>', "no usable id, term or index"),
        (
            "meta.xml",
            '<field index="3" term="http://rs.tdwg.org/dwc/terms/recordedBy"/>',
            '<field index="3" term="http://rs.gbif.org/terms/1.0/species"/>',
            "Occurrence has the term 'species' at the indexes 2 and 3; expected it once",
        ),
        ("meta.xml", '<id index="0"/>', '<id index="x"/>', "Occurrence: no usable id, term or index"),
        ("meta.xml", "occurrence.txt", "../../etc/passwd", "(is missing|outside of the archive)"),
        ("meta.xml", "1.0/species", "1.0/taxon", "the core has no term 'species'; it has basisOfRecord, countryCode"),
        (
            "occurrence.txt",
            "c1\t",
            "b7\t",
            r"occurrence\.txt: lines 2 and 4 have the same id 'b7'; expected every one once",
        ),
        (
            "multimedia.txt",
            'Birch"',
            "Birch",
            r"multimedia\.txt line 2: a quote is not closed",
        ),
        ("multimedia.txt", "StillImage", "Sound", r"no photo found; left out 5 x medium that is no still image"),
    ],
)
@pytest.mark.parametrize("write", [write_zip, write_folder])
def test_what_cannot_be_read_is_named(tmp_path: Path, write: Any, name: str, old: str, new: str, message: str) -> None:
    assert old in FILES[name]
    changed = FILES | {name: FILES[name].replace(old, new)}
    if name == "multimedia.txt" and old == "StillImage":
        changed[name] = changed[name].replace("image/", "audio/")
    with pytest.raises(CatalogueError, match=message):
        rows_of(write(tmp_path / "moths.zip", changed))


def test_a_bad_row_is_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    occurrence = FILES["occurrence.txt"].replace("a9\tHUMAN_OBSERVATION\t\t\t\t", "a9\tx")
    media = FILES["multimedia.txt"] + "zz,StillImage,,https://a.org/9.jpg,,\n"
    rows = rows_of(write_zip(tmp_path / "moths.zip", FILES | {"occurrence.txt": occurrence, "multimedia.txt": media}))
    assert [row.observation_id for row in rows] == ["b7", "b7"]
    assert "1 x bad row" in caplog.text
    assert "occurrence.txt line 3: 2 fields; meta.xml expects 6 at least" in caplog.text
    assert "2 x medium of no occurrence in the core" in caplog.text, "the media of the bad row, and an orphan"


NOISE = random.Random(1)
LONG = FILES["occurrence.txt"] + "".join(f"\nx{i}\tA\t{NOISE.random()}\t\t\t" for i in range(3000))


def header_of(path: Path, name: str) -> int:
    with zipfile.ZipFile(path) as archive:
        return archive.getinfo(name).header_offset


METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)


@pytest.mark.parametrize("method", METHODS)
def test_a_damaged_zip_of_any_method_is_one_line(tmp_path: Path, method: int) -> None:
    path = tmp_path / "moths.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in (FILES | {"occurrence.txt": LONG}).items():
            archive.writestr(name, content)
    whole = path.read_bytes()
    start = header_of(path, "occurrence.txt") + 44
    for place in range(start, start + 1200, 60):
        damaged = bytearray(whole)
        for at in range(place, place + 30):
            damaged[at] ^= 0x5A
        path.write_bytes(damaged)
        with pytest.raises(CatalogueError, match=r"moths\.zip/occurrence\.txt.* cannot be read") as caught:
            rows_of(path)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("at_local", "at_central", "value", "message"),
    [(8, 10, 9, "compression method is not supported"), (6, 8, 1, "is encrypted")],
)
def test_a_zip_that_python_cannot_unpack_is_one_line(
    tmp_path: Path, at_local: int, at_central: int, value: int, message: str
) -> None:
    path = write_zip(tmp_path / "moths.zip", FILES)
    content = bytearray(path.read_bytes())
    content[header_of(path, "occurrence.txt") + at_local] = value
    content[content.rindex(b"occurrence.txt") - 46 + at_central] = value
    path.write_bytes(content)
    with pytest.raises(CatalogueError, match=rf"moths\.zip/occurrence\.txt cannot be read: .*{message}"):
        rows_of(path)


@pytest.mark.parametrize(
    "meta",
    [
        META.encode("utf-16").replace(b"u\0t\0f\0-\x008", b"u\0t\0f\0-\x007"),
        META.replace("utf-8", "shift_jis").encode(),
        META.replace("utf-8", "x-mac").encode(),
        META.encode()[:200],
        META.replace("utf-8", "utf-16").replace("<archive", "<!DOCTYPE x><archive").encode("utf-16"),
        b"",
    ],
)
def test_a_damaged_meta_is_one_line(tmp_path: Path, meta: bytes) -> None:
    folder = write_folder(tmp_path / "moths", FILES)
    (folder / "meta.xml").write_bytes(meta)
    with pytest.raises(CatalogueError, match=r"moths/meta\.xml") as caught:
        rows_of(folder)
    assert "\n" not in str(caught.value)


def test_a_table_that_unpacks_to_far_more_is_refused_before_it_is(tmp_path: Path) -> None:
    path = tmp_path / "moths.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in FILES.items():
            archive.writestr(name, content + "\n" * (2**27 if name == "occurrence.txt" else 0))
    with pytest.raises(CatalogueError, match=r"occurrence\.txt unpacks to 134\d+ bytes, as no table does"):
        rows_of(path)


def test_no_archive(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match=r"absent\.zip is missing"):
        rows_of(tmp_path / "absent.zip")
    (tmp_path / "broken.zip").write_text("no zip")
    with pytest.raises(CatalogueError, match=r"broken\.zip cannot be read"):
        rows_of(tmp_path / "broken.zip")
    with pytest.raises(CatalogueError, match=r"meta\.xml is missing"):
        rows_of(write_zip(tmp_path / "empty.zip", {}))
