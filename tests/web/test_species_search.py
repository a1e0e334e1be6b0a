"""web/species_search.js: the species of a guide, grouped by their relatives and found by a few letters."""

import json
from pathlib import Path
from typing import Any

import pytest

from fieldguide.export.node import WEB, run_node

LABELS = {
    "ranks": ["species", "genus", "family"],
    "classes": {
        "species": [
            "other",
            "Épilobium øresundi",
            "Aster bellus",
            "Aster alpinus",
            "Linum album",
            "Zea mays",
            "Ignota",
        ],
        "genus": ["other", "Aster", "Linum", "Zea", "Épilobium"],
        "family": ["other", "Asteraceae", "Poaceae"],
    },
    "parents": {
        "species": {
            "Aster alpinus": {"genus": "Aster", "family": "Asteraceae"},
            "Aster bellus": {"genus": "Aster", "family": "Asteraceae"},
            "Linum album": {"genus": "Linum"},
            "Zea mays": {"genus": "Zea", "family": "Poaceae"},
            "Épilobium øresundi": {"genus": "Épilobium"},
        },
        "genus": {},
    },
    "vernacular": {"Aster alpinus": "Alpine daisy", "Linum album": "White-flowered flax", "Poaceae": "grasses"},
}
GENERA = {"ranks": ["genus"], "classes": {"genus": ["other", "Zea", "Aster"]}, "parents": {}, "vernacular": {}}


def ask(folder: Path, expression: str) -> Any:
    """What an expression in JavaScript comes to, with the module's functions and both guides at hand."""
    script = folder / "ask.mjs"
    names = "fold, groupSpecies, readAhead, search, speciesFinder"
    script.write_text(
        f"import {{ {names} }} from {json.dumps((WEB / 'species_search.js').as_uri())};\n"
        f"const [labels, genera] = {json.dumps([LABELS, GENERA])};\n"
        "const names = (groups) => groups.flatMap(({ species }) => species.map(({ name }) => name));\n"
        f"console.log(JSON.stringify({expression}));\n",
        encoding="utf-8",
    )
    return json.loads(run_node(script))


def test_relatives_stand_together_and_what_is_of_no_known_family_last(tmp_path: Path) -> None:
    groups = ask(tmp_path, "groupSpecies(labels)")
    assert [
        (group["above"]["name"], group["name"], [each["name"] for each in group["species"]]) for group in groups
    ] == [
        ("Asteraceae", "Aster", ["Aster alpinus", "Aster bellus"]),
        ("Poaceae", "Zea", ["Zea mays"]),
        (None, "Linum", ["Linum album"]),
        (None, "Épilobium", ["Épilobium øresundi"]),
        (None, None, ["Ignota"]),
    ]
    assert {(group["rank"], group["above"]["rank"]) for group in groups} == {("genus", "family")}


def test_a_guide_of_one_rank_is_one_group(tmp_path: Path) -> None:
    (group,) = ask(tmp_path, "groupSpecies(genera)")
    assert (group["rank"], group["name"]) == (None, None)
    assert [each["name"] for each in group["species"]] == ["Aster", "Zea"]


SEARCHES = {
    "": 6,
    "ast": ["Aster alpinus", "Aster bellus"],
    "  ASTER  bel ": ["Aster bellus"],
    "bel aster": ["Aster bellus"],
    "daisy": ["Aster alpinus"],
    "aisy": [],
    "epilobium ores": ["Épilobium øresundi"],
    "ÉPI": ["Épilobium øresundi"],
    "flowered": ["Linum album"],
    "white-fl": ["Linum album"],
    "poac": ["Zea mays"],
    "grass": ["Zea mays"],
    "aster zea": [],
    ".*": 6,
    "other": [],
}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    expression = f"{json.dumps(list(SEARCHES))}.map((text) => names(search(groupSpecies(labels), text)))"
    return dict(zip(SEARCHES, ask(tmp_path_factory.mktemp("search"), expression), strict=True))


@pytest.mark.parametrize(("text", "expected"), SEARCHES.items())
def test_every_word_typed_begins_a_word_of_a_name(
    text: str, expected: list[str] | int, found: dict[str, list[str]]
) -> None:
    assert found[text] == expected or len(found[text]) == expected


def test_a_species_is_found_with_its_lineage(tmp_path: Path) -> None:
    expression = "['Aster alpinus', 'other', 'Aster', 'Nil'].map(speciesFinder(labels))"
    alpinus, *others = ask(tmp_path, expression)
    assert alpinus["vernacular"] == "Alpine daisy"
    assert [(taxon["rank"], taxon["name"]) for taxon in alpinus["lineage"]] == [
        ("family", "Asteraceae"),
        ("genus", "Aster"),
        ("species", "Aster alpinus"),
    ]
    assert others == [None, None, None]


def test_a_guide_of_some_regions_lists_what_it_may_name(tmp_path: Path) -> None:
    kept = "{...labels, kept: ['Zea mays', 'Linum album']}"
    assert ask(tmp_path, f"names(groupSpecies({kept}))") == ["Zea mays", "Linum album"]
    assert ask(tmp_path, f"names(search(groupSpecies({kept}), 'aster'))") == []
    assert ask(tmp_path, f"['Aster alpinus', 'Zea mays'].map((name) => speciesFinder({kept})(name)?.name ?? null)") == [
        None,
        "Zea mays",
    ]


def test_letters_with_marks_are_folded(tmp_path: Path) -> None:
    assert ask(tmp_path, "['Æther-Straße', 'Łąka', 'ŒUVRE'].map(fold)") == ["aether-strasse", "laka", "oeuvre"]


def test_words_are_read_ahead_as_long_as_there_is_time(tmp_path: Path) -> None:
    times = "[[], [1, 2], [], [1, 2, 3, 4, 5]].map((left) => goOn(() => left.pop()))"
    assert ask(tmp_path, f"((goOn) => {times})(readAhead(groupSpecies(labels)))") == [True, True, True, False]
