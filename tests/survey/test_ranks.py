"""Taxonomy tables as people have them, and the ranks in them."""

from pathlib import Path

import pytest

from fieldguide.errors import CatalogueError
from fieldguide.survey.ranks import find_ranks

LABELS = ["Aster alpinus", "Rosa canina"]


def table(path: Path, header: str, *lines: str) -> Path:
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


@pytest.mark.parametrize(
    ("header", "line", "ranks", "columns", "vernacular", "synonyms"),
    [
        ("species,genus,family", "Aster alpinus,Aster,Asteraceae", ("species", "genus", "family"), {}, [], None),
        ("family,genus,species", "Asteraceae,Aster,Aster alpinus", ("species", "genus", "family"), {}, [], None),
        (
            "speciesName;Family;Order",
            "Aster alpinus;Asteraceae;Asterales",
            ("species", "family", "order"),
            {"species": "speciesName", "family": "Family", "order": "Order"},
            [],
            None,
        ),
        (
            "Scientific name,vernacular_en,vernacular_nl,synonyms",
            "Aster alpinus,alpine aster,alpenaster,",
            ("species",),
            {"species": "Scientific name"},
            ["vernacular_en", "vernacular_nl"],
            "synonyms",
        ),
        (
            "name,supercategory,id",
            "Aster alpinus,Plants,3",
            ("species", "group"),
            {"species": "name"} | {"group": "supercategory"},
            [],
            None,
        ),
    ],
)
def test_ranks_are_the_columns(
    tmp_path: Path,
    header: str,
    line: str,
    ranks: tuple[str, ...],
    columns: dict[str, str],
    vernacular: list[str],
    synonyms: str | None,
):
    path = table(tmp_path / "taxonomy.csv", header, line)
    found = find_ranks(path, LABELS)
    assert found.ranks == ranks
    assert found.taxonomy == {"path": str(path), "columns": columns, "vernacular": vernacular, "synonyms": synonyms}
    assert (found.num_known, found.unknown) == (1, ("'Rosa canina'",))


def test_a_label_that_is_nearly_there_is_told_with_what_is(tmp_path: Path):
    path = table(tmp_path / "taxonomy.csv", "species,synonyms", "Aster alpinus,Aster montanus", "Bellis perennis,")
    labels = ["Aster alpinus", "Aster montanus", "Bellis_perennis", "Rosa canina"]
    assert find_ranks(path, labels).unknown == ("'Bellis_perennis' (the table has 'Bellis perennis')", "'Rosa canina'")


@pytest.mark.parametrize(
    ("header", "line", "message"),
    [
        ("genus,family", "Aster,Asteraceae", "no column of species; got genus, family"),
        ("species,genus", "Aster_alpinus,Aster", r"none of the 2 labels .*'Aster alpinus' \(the table has 'Aster_alp"),
        ("species,genus", ",Aster", r"line 2: column 'species' is empty"),
    ],
)
def test_a_table_that_cannot_serve_is_refused(tmp_path: Path, header: str, line: str, message: str):
    with pytest.raises(CatalogueError, match=message):
        find_ranks(table(tmp_path / "taxonomy.csv", header, line), LABELS)
    with pytest.raises(CatalogueError, match=r"nowhere\.csv is missing"):
        find_ranks(tmp_path / "nowhere.csv", LABELS)
