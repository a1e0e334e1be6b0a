"""Which labels become classes, and what is kept of the rest."""

from pathlib import Path

import pytest

from fieldguide.catalogue.taxonomy import Taxonomy
from fieldguide.catalogue.taxonomy_table import Taxa, TaxonomyTable, read_taxa
from fieldguide.split.class_lists import close_taxonomy

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


def read(path: Path) -> Taxa:
    return read_taxa(TaxonomyTable(path=path, columns={}, vernacular=["vernacular"], synonyms=None), RANKS)


def test_rare_and_unlisted_species_become_other_and_keep_what_is_known(table: Path) -> None:
    labels = {"Aster alpinus": 30, "Aster rarus": 3, "Aster novus": 40, "Quercus robur": 12, "other": 2}
    taxonomy, names = close_taxonomy(labels, read(table), RANKS, min_samples=10)
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
    assert list(taxonomy.merged_into_other) == ["Aster novus", "Aster rarus", "Quercus robur", "other"]
    assert taxonomy.vernacular == {"Aster alpinus": "alpine aster"}
    assert taxonomy.vernaculars == {}


def test_names_by_language_are_those_of_the_labels_at_hand(tmp_path: Path) -> None:
    taxa = Taxa({"A b": {}, "C d": {}}, vernaculars={"nl": {"A b": "roos", "C d": "x"}, "de": {"C d": "y"}})
    taxonomy, _ = close_taxonomy({"A b": 30}, taxa, ["species"], min_samples=10)
    assert taxonomy.vernaculars == {"de": {}, "nl": {"A b": "roos"}}
    for written in (taxonomy, taxonomy.model_copy(update={"vernaculars": {}})):
        written.write(tmp_path / "taxonomy.json")
        assert Taxonomy.read(tmp_path / "taxonomy.json") == written
    assert "vernaculars" not in (tmp_path / "taxonomy.json").read_text()


def test_a_photo_that_is_known_to_family_only_teaches_its_family(table: Path) -> None:
    labels = {"Aster alpinus": 30, "Asteraceae": 9, "Bellis": 9, "Bellis sp.": 9, "Plantae": 9}
    taxonomy, names = close_taxonomy(labels, read(table), RANKS, min_samples=10)
    assert names["Asteraceae"] == {"species": "other", "genus": "other", "family": "Asteraceae"}
    assert names["Bellis"] == names["Bellis sp."] == {"species": "other", "genus": "Bellis", "family": "Asteraceae"}
    assert names["Plantae"] == {"species": "other", "genus": "other", "family": "other"}
    assert taxonomy.merged_into_other["Asteraceae"] == {"family": "Asteraceae"}


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        pytest.param("Noctuidae", {"family": "Noctuidae", "group": "macro"}, id="not its only genus"),
        pytest.param("macro", {"group": "macro"}, id="not its only family"),
        pytest.param("Pammene", {"genus": "Pammene", "family": "Tortricidae", "tribe": "Grapholitini"}, id="genus"),
        pytest.param("Tortricidae", {"family": "Tortricidae"}, id="what its species do not agree on"),
        pytest.param("Grapholitini", {"tribe": "Grapholitini"}, id="a rank of the table's own"),
    ],
)
def test_a_name_above_the_species_tells_what_lies_above_it(label: str, expected: dict[str, str]) -> None:
    taxa = Taxa(
        {
            "Agrotis segetum": {"group": "macro", "family": "Noctuidae", "genus": "Agrotis"},
            "Pammene aurana": {"group": "a", "family": "Tortricidae", "genus": "Pammene", "tribe": "Grapholitini"},
            "Pammene fasciana": {"group": "b", "family": "Tortricidae", "genus": "Pammene", "tribe": "Grapholitini"},
        }
    )
    taxonomy, _ = close_taxonomy({label: 3}, taxa, ["species", "group", "family", "genus", "tribe"], 1)
    assert taxonomy.merged_into_other[label] == expected


def test_a_species_of_the_table_is_told_by_its_own_line_alone() -> None:
    taxa = Taxa({"Aster alpinus": {"genus": "Aster", "family": "Asteraceae"}, "Aster solus": {}})
    _, names = close_taxonomy({"Aster solus": 3, "Aster novus": 3}, taxa, RANKS, min_samples=1)
    assert names["Aster novus"]["species"] == "other"
    assert names["Aster solus"] == {"species": "Aster solus", "genus": "other", "family": "other"}


def test_without_a_table_every_label_is_a_class() -> None:
    taxonomy, _ = close_taxonomy({"b": 1, "a": 2}, None, ["species"], min_samples=0)
    assert taxonomy.classes == {"species": ["other", "a", "b"]}


def test_in_a_careless_table_the_most_frequent_parent_wins() -> None:
    ranks = ["species", "group", "family"]
    taxa = Taxa({"A b": {"group": "micro", "family": "F"}, "C d": {"group": "macro", "family": "F"}})
    taxonomy, _ = close_taxonomy({"A b": 3, "C d": 4}, taxa, ["species", "family", "group"], min_samples=1)
    assert taxonomy.parents["family"] == {"F": {"group": "macro"}}
    taxonomy, _ = close_taxonomy({"A b": 60}, taxa, ranks, min_samples=50)
    assert taxonomy.parents["group"] == {"micro": {"family": "F"}}


def test_held_out_labels_make_no_class_but_are_told_by_others(table: Path) -> None:
    labels = {"Aster alpinus": 30, "Aster rarus": 0, "Bellis minor": 0}
    taxonomy, names = close_taxonomy(labels, read(table), RANKS, min_samples=0)
    assert taxonomy.classes["genus"] == ["other", "Aster"]
    assert names["Aster rarus"] == {"species": "other", "genus": "Aster", "family": "Asteraceae"}
    assert names["Bellis minor"] == {"species": "other", "genus": "other", "family": "Asteraceae"}
    assert taxonomy.merged_into_other == {}


def test_written_and_read_again(tmp_path: Path, table: Path) -> None:
    taxonomy, _ = close_taxonomy({"Aster alpinus": 30}, read(table), RANKS, 1)
    taxonomy.write(tmp_path / "taxonomy.json")
    again = Taxonomy.read(tmp_path / "taxonomy.json")
    assert again == taxonomy
    assert again.index("species") == {"other": 0, "Aster alpinus": 1}
