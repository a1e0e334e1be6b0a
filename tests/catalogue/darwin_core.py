"""A Darwin Core Archive of moths, as a folder and as a zip, and the source that reads it."""

import zipfile
from pathlib import Path
from typing import Any

from fieldguide.catalogue.rows import Row
from fieldguide.catalogue.sources import DwcaSource

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
