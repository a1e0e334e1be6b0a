"""Darwin Core Archives: as a zip and as a folder, made here and with the meta.xml of a GBIF download."""

import logging
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
    assert (
        "3 still images; left out 1 repeated, 1 not still images, 1 without an address, 1 of basis MATERIAL"
        in caplog.text
    )


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
        ("meta.xml", "</archive>", "", r"meta\.xml: not valid XML"),
        ("meta.xml", "<archive", "<!DOCTYPE x><archive", "with a DOCTYPE"),
        ("meta.xml", "terms/Occurrence", "terms/Taxon", "the core holds Taxon rows; expected Occurrence"),
        (
            "meta.xml",
            "1.0/Multimedia",
            "1.0/Distribution",
            "no extension Multimedia with file addresses; the extensions are Distribution",
        ),
        ("meta.xml", 'encoding="UTF-8" fieldsT', 'encoding="UTF-16" fieldsT', "encoding UTF-16; expected UTF-8"),
        ("meta.xml", r'By="\t"', 'By="--"', "fieldsTerminatedBy '--'; expected one character"),
        ("meta.xml", '<id index="0"/>', '<id index="x"/>', "Occurrence: no usable id, term or index"),
        ("meta.xml", "occurrence.txt", "../../etc/passwd", "(is missing|outside of the archive)"),
        ("meta.xml", "1.0/species", "1.0/taxon", "the core has no term 'species'; it has basisOfRecord, countryCode"),
        (
            "occurrence.txt",
            "a9\tHUMAN_OBSERVATION\t\t\t\t",
            "a9\tx",
            r"occurrence\.txt line 3: 2 fields; meta\.xml expects 6",
        ),
        ("occurrence.txt", "c1\t", "b7\t", "two occurrences with one id"),
        ("multimedia.txt", "c1,", "zz,", r"multimedia\.txt line 8: 'zz' is not in the core"),
        ("multimedia.txt", "Image", "Text", r"no still image among 7 media"),
    ],
)
@pytest.mark.parametrize("write", [write_zip, write_folder])
def test_what_cannot_be_read_is_named(tmp_path: Path, write: Any, name: str, old: str, new: str, message: str) -> None:
    assert old in FILES[name]
    changed = FILES | {name: FILES[name].replace(old, new)}
    if name == "multimedia.txt" and old == "Image":
        changed[name] = changed[name].replace("image/", "text/")
    with pytest.raises(CatalogueError, match=message):
        rows_of(write(tmp_path / "moths.zip", changed))


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
