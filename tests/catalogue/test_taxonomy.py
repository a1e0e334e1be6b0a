"""Which labels become classes, what is kept of the rest, and what a broken table says."""

from pathlib import Path

import pytest

from fieldguide.catalogue.taxonomy import Taxonomy, close_taxonomy, read_lineages
from fieldguide.errors import CatalogueError

RANKS = ["species", "genus", "family"]
TABLE = """species,genus,family,vernacular
Aster alpinus,Aster,Asteraceae,alpine aster
Aster rarus,Aster,Asteraceae,
Bellis minor,Bellis,Asteraceae,lesser daisy
"""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "taxonomy.csv"
    path.write_text(TABLE, encoding="utf-8")
    return path


def test_rare_and_unlisted_species_become_other_and_keep_what_is_known(table: Path) -> None:
    labels = {"Aster alpinus": 30, "Aster rarus": 3, "Aster novus": 40, "Quercus robur": 12, "other": 2}
    taxonomy, names = close_taxonomy(labels, read_lineages(table, RANKS), RANKS, min_samples=10)
    assert names == {
        "Aster alpinus": {"species": "Aster alpinus", "genus": "Aster", "family": "Asteraceae"},
        "Aster rarus": {"species": "other", "genus": "Aster", "family": "Asteraceae"},
        "Aster novus": {"species": "other", "genus": "Aster", "family": "Asteraceae"},
        "Quercus robur": {"species": "other", "genus": "other", "family": "other"},
        "other": {"species": "other", "genus": "other", "family": "other"},
    }
    assert taxonomy.classes == {
        "species": ["other", "Aster alpinus"],
        "genus": ["other", "Aster"],
        "family": ["other", "Asteraceae"],
    }
    assert taxonomy.parents == {
        "species": {"Aster alpinus": {"genus": "Aster", "family": "Asteraceae"}},
        "genus": {"Aster": {"family": "Asteraceae"}},
        "family": {"Asteraceae": {}},
    }
    assert list(taxonomy.bundled) == ["Aster novus", "Aster rarus", "Quercus robur", "other"]
    assert taxonomy.vernacular == {"Aster alpinus": "alpine aster"}


def test_without_a_table_every_label_is_a_class() -> None:
    taxonomy, _ = close_taxonomy({"b": 1, "a": 2}, None, ["species"], min_samples=0)
    assert taxonomy.classes == {"species": ["other", "a", "b"]}


def test_the_moth_hierarchy_reads(tmp_path: Path) -> None:
    path = tmp_path / "moths.csv"
    path.write_text('"species";"group";"family";"genus"\n"Capperia b";"micro";"Pterophoridae";"Capperia"\n')
    ranks = ["species", "group", "family", "genus"]
    lineages, _ = read_lineages(path, ranks)
    assert lineages == {"Capperia b": {"group": "micro", "family": "Pterophoridae", "genus": "Capperia"}}
    taxonomy, _ = close_taxonomy({"Capperia b": 60}, (lineages, {}), ranks, min_samples=50)
    assert taxonomy.parents["family"] == {"Pterophoridae": {"genus": "Capperia"}}


def test_written_and_read_again(tmp_path: Path, table: Path) -> None:
    taxonomy, _ = close_taxonomy({"Aster alpinus": 30}, read_lineages(table, RANKS), RANKS, 1)
    taxonomy.write(tmp_path / "taxonomy.json")
    again = Taxonomy.read(tmp_path / "taxonomy.json")
    assert again == taxonomy
    assert again.index("species") == {"other": 0, "Aster alpinus": 1}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("species,genus\nA b,A\n", "line 1: no column 'family'; found species, genus"),
        ("species,genus,family\n,A,B\n", "line 2: column 'species' is empty"),
        ("species,genus,family\nA b,A,B\nA b,C,B\n", "line 3: 'A b' has parents"),
        ("", "line 1: no column 'species'; found nothing"),
    ],
)
def test_a_broken_table_is_named(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "taxonomy.csv"
    path.write_text(content)
    with pytest.raises(CatalogueError, match=message):
        read_lineages(path, RANKS)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match=r"none\.csv is missing"):
        read_lineages(tmp_path / "none.csv", RANKS)
    with pytest.raises(CatalogueError, match="run the split stage first"):
        Taxonomy.read(tmp_path / "taxonomy.json")
