"""The iNaturalist Open Data tables: joins, ranks, grades, and real rows of them."""

import gzip
import logging
from pathlib import Path
from typing import Any

import pytest

from fieldguide.catalogue.rows import Row
from fieldguide.catalogue.sources import InatOpenDataSource
from fieldguide.errors import CatalogueError

TABLES = {
    "photos": [
        "photo_uuid\tphoto_id\tobservation_uuid\tobserver_id\textension\tlicense\twidth\theight\tposition",
        'p1\t11\to1\t1\tjpg\tCC-BY "4"\t10\t10\t0',
        "p2\t12\to1\t1\tjpeg\tCC0\t10\t10\t1",
        "p2\t12\to2\t1\tjpeg\tCC0\t10\t10\t1",
        "p3\t13\to3\t2\tjpg\tCC-BY-NC\t10\t10\t0",
        "p4\t14\to4\t3\tjpg\tCC0\t10\t10\t0",
        "p5\t15\tgone\t3\tjpg\tCC0\t10\t10\t0",
    ],
    "observations": [
        "observation_uuid\tobserver_id\tlatitude\tlongitude\tpositional_accuracy\ttaxon_id\tquality_grade\tobserved_on",
        "o1\t1\t52.1\t5.1\t\t31\tresearch\t2020-01-01",
        "o2\t1\t\t\t\t41\tresearch\t2020-01-01",
        "o3\t2\t52.1\t5.1\t\t31\tcasual\t2020-01-01",
        "o4\t3\t52.1\t5.1\t\t20\tresearch\t2020-01-01",
    ],
    "taxa": [
        "taxon_id\tancestry\trank_level\trank\tname\tactive",
        "10\t\t30\tfamily\tErebidae\ttrue",
        "20\t10\t20\tgenus\tArctia\ttrue",
        "31\t10/20\t10\tspecies\tArctia caja\ttrue",
        "41\t10/20/31\t5\tsubspecies\tArctia caja phaeosoma\ttrue",
    ],
    "observers": ["observer_id\tlogin\tname", "1\tada\tAda Alder", "2\tbo\tNone", "3\tcy\t"],
}


def write(folder: Path, packed: bool = False, **changed: list[str]) -> Path:
    for name, lines in (TABLES | changed).items():
        content = ("\n".join(lines) + "\n").encode()
        if packed:
            (folder / f"{name}.csv.gz").write_bytes(gzip.compress(content))
        else:
            (folder / f"{name}.csv").write_bytes(content)
    return folder


def source(path: Path, **section: Any) -> InatOpenDataSource:
    settings = {
        "kind": "inat_open_data",
        "path": path,
        "base_url": "https://photos.example.org/",
        "size": "medium",
        "quality_grades": ["research"],
        "rank": "species",
        "fill": {"region": None, "licence": None, "rights_holder": None},
    }
    return InatOpenDataSource.model_validate(settings | section)


@pytest.mark.parametrize("packed", [False, True])
def test_rows(tmp_path: Path, packed: bool, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        first, second, third = source(write(tmp_path, packed)).rows()
    assert first == Row(
        id="11/o1",
        source_row="photos.csv.gz:2" if packed else "photos.csv:2",
        url="https://photos.example.org/photos/11/medium.jpg",
        root=None,
        observation_id="o1",
        observer="1",
        label="Arctia caja",
        latitude=52.1,
        longitude=5.1,
        date="2020-01-01",
        licence='CC-BY "4"',
        rights_holder="Ada Alder",
    )
    assert (second.id, third.id) == ("12/o1", "12/o2")
    assert (third.label, third.latitude) == ("Arctia caja", None), "a subspecies is told by its species"
    assert [part.partition(" (")[0] for part in caplog.messages[0].partition("left out ")[2].split("; ")] == [
        "1 x photo of quality grade casual",
        "1 x photo not known to species",
        "1 x photo without an observation",
    ]


def test_grades_ranks_and_observers_without_a_name(tmp_path: Path) -> None:
    rows = list(source(write(tmp_path), quality_grades=["research", "casual"], rank="genus", size="original").rows())
    assert {row.label for row in rows} == {"Arctia"}
    assert [(row.url[-16:], row.rights_holder) for row in rows][-2:] == [
        ("/13/original.jpg", "bo"),
        ("/14/original.jpg", "cy"),
    ]


def test_taxa(tmp_path: Path) -> None:
    (taxon,) = source(write(tmp_path)).taxa()
    assert (taxon.name, taxon.lineage) == ("Arctia caja", (("genus", "Arctia"), ("family", "Erebidae")))


@pytest.mark.parametrize(
    ("table", "lines", "message"),
    [
        ("photos", ["photo_id\textension", "1\tjpg"], "photos.csv: no column 'license'"),
        (
            "photos",
            [f"{line}\t{line.split()[5]}" for line in TABLES["photos"]],
            r"photos\.csv: columns 6 and 10 are both called 'license'; expected one",
        ),
        ("taxa", [*TABLES["taxa"], TABLES["taxa"][1]], r"taxa\.csv: lines 2 and 6 have the same taxon_id '10'"),
        ("observations", TABLES["observations"][:1], r"photos\.csv: no photo found; left out 6 x photo without an obs"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, table: str, lines: list[str], message: str) -> None:
    with pytest.raises(CatalogueError, match=message):
        list(source(write(tmp_path, **{table: lines})).rows())


@pytest.mark.parametrize("nothing", ["None", ""])
def test_a_bad_row_is_counted(tmp_path: Path, nothing: str, caplog: pytest.LogCaptureFixture) -> None:
    photos = [*TABLES["photos"], "1\t2", TABLES["photos"][1].replace("jpg", nothing).replace("11", "16")]
    observations = [*TABLES["observations"], TABLES["observations"][1].replace("o1", ""), TABLES["observations"][1][1:]]
    write(tmp_path, photos=photos, observations=observations)
    assert [row.url[-14:] for row in source(tmp_path).rows()] == ["/11/medium.jpg", "12/medium.jpeg", "12/medium.jpeg"]
    for said in (
        "2 x bad row",
        "observations.csv line 6: observation_uuid is empty",
        "1 x photo without an id or an extension, of which its address is made",
    ):
        assert said in caplog.text


def test_a_missing_or_cut_table_is_named(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "taxa.csv").unlink()
    with pytest.raises(CatalogueError, match=r"taxa\.csv is missing"):
        list(source(tmp_path).rows())
    (tmp_path / "taxa.csv.gz").write_bytes(gzip.compress("\n".join(TABLES["taxa"]).encode())[:-9])
    with pytest.raises(CatalogueError, match=r"taxa\.csv\.gz line \d cannot be read"):
        list(source(tmp_path).rows())


def test_real_rows(shared_data: Path) -> None:
    """Fifty rows of each table; few of their taxa are among the fifty."""
    folder = shared_data / "meta" / "pyinaturalist-convert" / "inaturalist-open-data"
    with pytest.raises(CatalogueError, match="no photo found; left out 39 x photo not known to species"):
        list(source(folder).rows())
    taxa = list(source(folder).taxa())
    assert len(taxa) > 20
    assert all(taxon.name for taxon in taxa)
