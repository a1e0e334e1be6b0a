"""Tables of several makes read alike, and a broken one is named with its line."""

import logging
import unicodedata
from pathlib import Path

import pytest

from fieldguide.catalogue.taxonomy_table import TaxonomyTable, read_taxa
from fieldguide.errors import CatalogueError

RANKS = ["species", "genus", "family"]


def table(path: Path, content: str | bytes = "", **fields: object) -> TaxonomyTable:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return TaxonomyTable.model_validate({"path": path, "columns": {}, "vernacular": [], "synonyms": None} | fields)


def test_the_moth_hierarchy_reads(tmp_path: Path) -> None:
    content = (
        '"speciesName";"nederNaam";"group";"family";"genus"\n"Capperia b";"salie";"micro";"Pterophoridae";"Capperia"\n'
    )
    moths = table(tmp_path / "m.csv", content, columns={"species": "speciesName"}, vernacular=["nederNaam"])
    taxa = read_taxa(moths, ["species", "group", "family", "genus"])
    assert taxa.lineages == {"Capperia b": {"group": "micro", "family": "Pterophoridae", "genus": "Capperia"}}
    assert taxa.vernacular == {"Capperia b": "salie"}


def test_vernacular_names_come_in_the_preferred_language(tmp_path: Path) -> None:
    content = "species,vernacular_nl,vernacular_en\nA b,,daisy\nC d,roos,rose\nE f,,\n"
    columns = ["vernacular_nl", "vernacular_en"]
    taxa = read_taxa(table(tmp_path / "t.csv", content, vernacular=columns), ["species"])
    assert taxa.vernacular == {"A b": "daisy", "C d": "roos"}
    assert taxa.vernaculars == {"nl": {"C d": "roos"}, "en": {"A b": "daisy", "C d": "rose"}}


def test_a_column_of_no_language_has_names_for_all(tmp_path: Path) -> None:
    content = "species,vernacular,vernacular_x1,common\nA b,daisy,x,y\n"
    taxa = read_taxa(
        table(tmp_path / "t.csv", content, vernacular=["vernacular", "vernacular_x1", "common"]), ["species"]
    )
    assert (taxa.vernacular, taxa.vernaculars) == ({"A b": "daisy"}, {})


def test_synonyms_mean_one_species(tmp_path: Path) -> None:
    content = "species,synonyms\nA b,A c| A d |A b\nC d,\n"
    taxa = read_taxa(table(tmp_path / "t.csv", content, synonyms="synonyms"), ["species"])
    assert taxa.synonyms == {"A c": "A b", "A d": "A b"}


def test_names_have_one_form(tmp_path: Path) -> None:
    content = (
        f"species\tgenus\tfamily\tsynonyms\tcommon\n"
        f"{unicodedata.normalize('NFD', 'Isoëtes echinospora')}\tIsoëtes\tNA\t\t\x1b[31mquillwort\n"
        "\t\t\t\t\n\n"
        "Aster  x\u00a0frikartii\u200b\tAster\tAsteraceae\tAster ×montanus\t\n"
    )
    taxa = read_taxa(table(tmp_path / "t.tsv", content, synonyms="synonyms", vernacular=["common"]), RANKS)
    assert taxa.lineages == {
        "Isoëtes echinospora": {"genus": "Isoëtes"},
        "Aster × frikartii": {"genus": "Aster", "family": "Asteraceae"},
    }
    assert taxa.synonyms == {"Aster × montanus": "Aster × frikartii"}
    assert taxa.vernacular == {"Isoëtes echinospora": "quillwort"}
    assert taxa.names == {"Isoëtes echinospora", "Aster × frikartii", "Aster × montanus"}


def test_other_is_no_taxon(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    content = "species,genus,family\nOther,A,B\nAster alpinus,other,Asteraceae\n"
    with caplog.at_level(logging.WARNING):
        taxa = read_taxa(table(tmp_path / "t.csv", content), RANKS)
    assert taxa.lineages == {"Aster alpinus": {"family": "Asteraceae"}}
    assert "t.csv line 2: left out 'Other'" in caplog.text


def test_homonym_genera_are_told_apart(tmp_path: Path) -> None:
    content = "species,genus,family\nO oenanthe,Oenanthe,Muscicapidae\nO crocata,Oenanthe,Apiaceae\n"
    taxa = read_taxa(table(tmp_path / "t.csv", content), RANKS)
    assert taxa.lineages["O crocata"] == {"genus": "Oenanthe (Apiaceae)", "family": "Apiaceae"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("species,genus\nA b,A\n", "line 1: no column 'family'; found species, genus"),
        ("species,genus,family\n,A,B\n", "line 2: column 'species' is empty"),
        ("species,genus,family\nA b,A,B\nA b,C,B\n", "line 3: 'A b' has parents"),
        ("species,genus,family\nNA,A,B\n", "line 2: column 'species' says 'NA'; expected the name of a taxon"),
        ("", "line 1: no column 'species'; found nothing"),
        (b"species,genus,family\nA \xe9,A,B\n", "not valid UTF-8"),
    ],
)
def test_a_broken_table_is_named(tmp_path: Path, content: str | bytes, message: str) -> None:
    with pytest.raises(CatalogueError, match=message):
        read_taxa(table(tmp_path / "taxonomy.csv", content), RANKS)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("species,synonyms\nA b,X y\nC d,X y\n", "line 3: 'X y' is a synonym of 'C d', but of 'A b' further up"),
        ("species,synonyms\nA b,C d\nC d,\n", "line 2: 'C d' is a synonym of 'A b', but has a line of its own too"),
        ("species\nA b\n", "no column 'synonyms'"),
    ],
)
def test_ambiguous_synonyms_are_named(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(CatalogueError, match=message):
        read_taxa(table(tmp_path / "taxonomy.csv", content, synonyms="synonyms"), ["species"])


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    missing = table(tmp_path / "t.csv").model_copy(update={"path": tmp_path / "none.csv"})
    with pytest.raises(CatalogueError, match=r"none\.csv is missing"):
        read_taxa(missing, RANKS)
