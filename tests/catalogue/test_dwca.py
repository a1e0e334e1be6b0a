"""Darwin Core Archives: as a zip and as a folder, made here and with the meta.xml of a GBIF download."""

import logging
from pathlib import Path

import pytest

from fieldguide.catalogue.rows import Row
from fieldguide.errors import CatalogueError
from tests.catalogue.darwin_core import FILES, META, rows_of, write_folder, write_zip


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
