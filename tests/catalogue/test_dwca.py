"""Darwin Core Archives: as a zip and as a folder, made here and with the meta.xml of a GBIF download."""

import logging
import random
import zipfile
from pathlib import Path
from typing import Any

import pytest

from fieldguide.catalogue.rows import Row
from fieldguide.catalogue.sources import DwcaSource
from fieldguide.errors import CatalogueError

META = r"""<?xml version="1.0" encoding="utf-8"?>
<archive xmlns="http://rs.tdwg.org/dwc/text/" metadata="eml.xml">
  <core encoding="UTF-8" fieldsTerminatedBy="\t" linesTerminatedBy="\n" fieldsEnclosedBy="" ignoreHeaderLines="1"
        rowType="http://rs.tdwg.org/dwc/terms/Occurrence">
    <files><location>occurrence.txt</location></files>
    <id index="0"/>
    <field index="0" term="http://rs.gbif.org/terms/1.0/gbifID"/>
    <field index="1" term="http://rs.tdwg.org/dwc/terms/basisOfRecord"/>
    <field index="2" term="http://rs.gbif.org/terms/1.0/species"/>
    <field index="3" term="http://rs.tdwg.org/dwc/terms/recordedBy"/>
    <field index="4" term="http://rs.tdwg.org/dwc/terms/countryCode" default="NL"/>
    <field index="5" term="http://purl.org/dc/terms/license"/>
    <field default="Museum of Moths" term="http://purl.org/dc/terms/rightsHolder"/>
  </core>
  <extension encoding="UTF-8" fieldsTerminatedBy="," linesTerminatedBy="\n" fieldsEnclosedBy='"' ignoreHeaderLines="1"
             rowType="http://rs.gbif.org/terms/1.0/Multimedia">
    <files><location>multimedia.txt</location></files>
    <coreid index="0"/>
    <field index="1" term="http://purl.org/dc/terms/type"/>
    <field index="2" term="http://purl.org/dc/terms/format"/>
    <field index="3" term="http://purl.org/dc/terms/identifier"/>
    <field index="4" term="http://purl.org/dc/terms/license"/>
    <field index="5" term="http://purl.org/dc/terms/rightsHolder"/>
  </extension>
</archive>
"""
OCCURRENCES = [
    "gbifID\tbasisOfRecord\tspecies\trecordedBy\tcountryCode\tlicense",
    'b7\tHUMAN_OBSERVATION\tArctia "caja"\tAda Alder\tDE\tCC_BY_4_0',
    "a9\tHUMAN_OBSERVATION\t\t\t\t",
    "c1\tMATERIAL_CITATION\tArctia caja\t\tFR\tCC0_1_0",
]
MEDIA = [
    "coreid,type,format,identifier,license,rightsHolder",
    'a9,StillImage,,"https://a.org/1,2.jpg",http://creativecommons.org/licenses/by-nc/4.0/,"Bo, Birch"',
    "b7,,image/jpeg,https://a.org/3.jpg,,",
    "b7,StillImage,image/jpeg,https://a.org/3.jpg,,",
    "b7,Sound,audio/mpeg,https://a.org/3.mp3,,",
    "b7,http://purl.org/dc/dcmitype/StillImage,image/jpeg,photos/4.jpg,,",
    "b7,StillImage,,,,",
    "c1,StillImage,image/jpeg,https://a.org/page.jpg,,",
]
FILES = {"meta.xml": META, "occurrence.txt": "\n".join(OCCURRENCES), "multimedia.txt": "\n".join(MEDIA) + "\n"}


def write_folder(path: Path, files: dict[str, str]) -> Path:
    path.mkdir(exist_ok=True)
    for name, content in files.items():
        (path / name).write_text(content)
    return path


def write_zip(path: Path, files: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def rows_of(path: Path, **section: Any) -> list[Row]:
    settings = {
        "kind": "dwca",
        "path": path,
        "label": "species",
        "region": "countryCode",
        "exclude_basis": ["MATERIAL_CITATION"],
        "fill": {"region": None, "licence": None, "rights_holder": None},
        **section,
    }
    return list(DwcaSource.model_validate(settings).rows())


def test_rows(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        first, second, third = rows_of(write_zip(tmp_path / "moths.zip", FILES))
    assert first == Row(
        id="a9 https://a.org/1,2.jpg",
        source_row="multimedia.txt:2",
        url="https://a.org/1,2.jpg",
        root=None,
        observation_id="a9",
        region="NL",
        country="NL",
        licence="http://creativecommons.org/licenses/by-nc/4.0/",
        rights_holder="Bo, Birch",
    )
    assert second == Row(
        id="b7 https://a.org/3.jpg",
        source_row="multimedia.txt:3",
        url="https://a.org/3.jpg",
        root=None,
        observation_id="b7",
        observer="Ada Alder",
        label='Arctia "caja"',
        region="DE",
        country="DE",
        licence="CC_BY_4_0",
        rights_holder="Museum of Moths",
    )
    assert (third.url, third.root) == (f"file:{tmp_path}/photos/4.jpg", str(tmp_path))
    assert [part.partition(" (")[0] for part in caplog.messages[0].partition("left out ")[2].split("; ")] == [
        "1 x repeated medium",
        "1 x medium that is no still image",
        "1 x medium without an address",
        "1 x medium of basis MATERIAL_CITATION",
    ]


def test_the_place_is_told_where_the_core_tells_it(tmp_path: Path) -> None:
    meta = META.replace(
        '<field default="Museum', '<field index="3" term="x/decimalLatitude"/>\n<field default="Museum'
    ).replace('<field index="3" term="http://rs.tdwg.org/dwc/terms/recordedBy"/>', "")
    occurrence = FILES["occurrence.txt"].replace("Ada Alder", "52.5")
    rows = rows_of(write_zip(tmp_path / "moths.zip", FILES | {"meta.xml": meta, "occurrence.txt": occurrence}))
    assert [(row.country, row.latitude) for row in rows] == [("NL", None), ("DE", 52.5), ("DE", 52.5)]


def test_a_folder_is_an_archive_too(tmp_path: Path) -> None:
    unpacked = rows_of(write_folder(tmp_path / "moths", FILES))
    assert [row.id for row in unpacked] == [row.id for row in rows_of(write_zip(tmp_path / "moths.zip", FILES))]
    assert unpacked[2].url == f"file:{tmp_path}/moths/photos/4.jpg"


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


def test_several_addresses_of_a_medium_are_several_photos(tmp_path: Path) -> None:
    media = FILES["multimedia.txt"].replace("https://a.org/3.jpg", "https://a.org/3.jpg | http://a.org/4|5.jpg")
    rows = rows_of(write_zip(tmp_path / "moths.zip", FILES | {"multimedia.txt": media}))
    assert [row.url for row in rows[1:3]] == ["https://a.org/3.jpg", "http://a.org/4|5.jpg"]


@pytest.mark.parametrize("encoding", ["ISO-8859-1", "windows-1252", "utf8"])
def test_a_stated_encoding_is_used(tmp_path: Path, encoding: str) -> None:
    files = {name: text.replace("caja", "ç") for name, text in FILES.items()}
    files["meta.xml"] = files["meta.xml"].replace('core encoding="UTF-8"', f'core encoding="{encoding}"')
    folder = write_folder(tmp_path / "moths", files)
    (folder / "occurrence.txt").write_text(files["occurrence.txt"], encoding=encoding)
    assert rows_of(folder)[1].label == 'Arctia "ç"'


def test_an_archive_may_lie_in_a_folder_of_the_zip(tmp_path: Path) -> None:
    inside = {f"moths/{name}": text for name, text in FILES.items()} | {
        "__MACOSX/._meta.xml": "",
        "__MACOSX/meta.xml": "",
    }
    expected = rows_of(write_zip(tmp_path / "moths.zip", FILES))
    assert rows_of(write_zip(tmp_path / "packed.zip", inside)) == expected
    with pytest.raises(CatalogueError, match=r"two\.zip: meta\.xml lies in bees and in moths; expected one archive"):
        rows_of(write_zip(tmp_path / "two.zip", {**inside, "bees/meta.xml": META}))


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


def test_a_gbif_download(shared_data: Path, tmp_path: Path) -> None:
    """The download's own meta.xml and multimedia; its occurrences are not kept beside it, so they are made."""
    download = shared_data / "meta" / "gbif_frogs"
    media = (download / "multimedia.txt").read_text(encoding="utf-8")
    ids = list(dict.fromkeys(line.split("\t")[0] for line in media.splitlines()[1:]))
    fields = (download / "meta.xml").read_text().split("<extension")[0].count("<field index=")
    occurrences = "".join("\t".join([key, *["1"] * (fields - 1)]) + "\n" for key in ["gbifID", *ids])
    files = {"meta.xml": (download / "meta.xml").read_text(), "multimedia.txt": media, "occurrence.txt": occurrences}
    meta = files["meta.xml"]
    for location in {part.split("</location>")[0] for part in meta.split("<location>")[1:]} - files.keys():
        files[location] = ""
    rows = rows_of(write_zip(tmp_path / "frogs.zip", files))
    stills = [line for line in media.splitlines() if line.split("\t")[1] == "StillImage"]
    assert 0.9 * len(stills) < len(rows) <= len(stills)
    assert {row.label for row in rows} == {"1"}
    assert rows[0].licence == "http://creativecommons.org/licenses/by-nc-sa/3.0/"
