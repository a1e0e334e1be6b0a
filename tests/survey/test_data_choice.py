"""The rows are the specification: what was counted, and what is chosen for fetch, clean and split."""

from collections import Counter
from typing import Any

import pytest

from fieldguide.errors import CatalogueError
from fieldguide.survey.choosing import Choice, lay_over
from fieldguide.survey.data_choice import choose_data, choose_min_samples
from fieldguide.survey.headers import Headers
from fieldguide.survey.ranks import NO_RANKS, Ranks
from fieldguide.survey.tally import Tally
from tests.survey.making import FOLDERS, given, headers, tally

TAXONOMY = {"path": "taxonomy.csv", "columns": {}, "vernacular": [], "synonyms": None}


def chosen(found: Tally, looked: Headers | None = None, ranks: Ranks = NO_RANKS) -> Choice:
    return choose_data(FOLDERS, found, looked or headers(), ranks)


@pytest.mark.parametrize(
    ("key", "value", "found", "looked"),
    [
        pytest.param("clean.production_only", False, tally(), headers(), id="no licence is known"),
        pytest.param(
            "clean.production_only",
            True,
            tally(licences=Counter({"CC0-1.0": 100, "unknown": 40})),
            headers(),
            id="free",
        ),
        pytest.param(
            "clean.production_only",
            False,
            tally(licences=Counter({"CC-BY-4.0": 40, "CC-BY-NC-4.0": 100})),
            headers(),
            id="most are not for commerce",
        ),
        pytest.param("clean.min_side", 64, tally(), headers(short=128), id="large photos"),
        pytest.param("clean.min_side", 32, tally(), headers(short=100), id="small photos"),
        pytest.param("clean.max_megapixels", None, tally(), headers(short=4000), id="32 megapixels are usual"),
        pytest.param("clean.max_megapixels", 150, tally(), headers(short=7000), id="98 megapixels are not"),
        pytest.param("clean.max_failure_rate", None, tally(), headers(), id="no broken file"),
        pytest.param(
            "clean.max_failure_rate", 0.1, tally(), headers(num=19, no_photos=["1"]), id="a broken file of 20"
        ),
        pytest.param("fetch.max_failure_rate", 0.1, tally(), headers(num=19, missing=["1"]), id="a missing file of 20"),
        pytest.param("fetch.max_failure_rate", None, tally(), headers(), id="photos of this machine"),
        pytest.param("fetch.max_failure_rate", 0.1, tally(hosts=Counter({"a.org": 140})), Headers(), id="URLs"),
        pytest.param("split.group_by", [], tally(), headers(), id="no observations"),
        pytest.param(
            "split.group_by", ["observation_id"], tally(said=Counter(observation_id=7)), headers(), id="observations"
        ),
        pytest.param("split.given", None, tally(), headers(), id="no split is given"),
        pytest.param("split.given", "given_split", tally(splits=given(100, 20, 20)), headers(), id="a split is given"),
        pytest.param("split.given", None, tally(splits=given(100, 20, 10)), headers(), id="not of all photos"),
        pytest.param("split.given", None, tally(splits=given(140, 0, 0)), headers(), id="one split is none"),
        pytest.param(
            "split.min_eval_photos", 0, tally(splits=given(100, 20, 20)), headers(), id="none leaves its split"
        ),
        pytest.param("split.min_eval_photos", 0, tally(), headers(), id="no small class"),
        pytest.param("split.min_eval_photos", 2, tally({"Aster": 80, "Bellis": 20}), headers(), id="a small class"),
        pytest.param("split.min_eval_photos", 1, tally({"Aster": 7, "Bellis": 6}), headers(), id="small classes"),
        pytest.param("split.ratios", {"train": 0.7, "val": 0.15, "test": 0.15}, tally(), headers(), id="a small set"),
        pytest.param(
            "split.ratios",
            {"train": 0.8, "val": 0.1, "test": 0.1},
            tally({"A": 900, "B": 900}),
            headers(),
            id="a large one",
        ),
        pytest.param("split.taxonomy", None, tally(), headers(), id="no taxonomy"),
    ],
)
def test_what_was_found_decides(key: str, value: Any, found: Tally, looked: Headers):
    choice = chosen(found, looked)
    section, name = key.split(".")
    assert choice.overlay.get(section, {}).get(name) == value
    assert (key in {reason.key for reason in choice.reasons}) == (name in choice.overlay.get(section, {}))


def test_the_source_and_the_ranks_are_taken_as_they_were_found():
    ranks = Ranks(("species", "genus"), TAXONOMY, "the columns of taxonomy.csv", ("'Rosa'",), 2)
    choice = chosen(tally(), ranks=ranks)
    assert choice.overlay["fetch"]["sources"] == {"flora": FOLDERS["flora"].section}
    assert (choice.overlay["split"]["ranks"], choice.overlay["split"]["taxonomy"]) == (["species", "genus"], TAXONOMY)


def test_what_may_flatter_or_must_not_be_published_is_a_warning():
    first, second = chosen(tally()).warnings
    assert first.startswith("no licence is known: the model may not be yours to publish")
    assert second.startswith("no observation ids: photos of one plant or animal may stand in train and in test")
    free = {"licences": Counter({"CC0-1.0": 140}), "said": Counter(observation_id=140)}
    assert chosen(tally(**free)).warnings == []


@pytest.mark.parametrize(
    ("counts", "least"),
    [
        ([100] * 10, 10),
        ([100] * 8 + [2] * 2, 10),
        ([100] * 7 + [6] * 3, 5),
        ([4, 4, 4], 3),
        ([1, 1, 1], 3),
        ([100, 4], 3),
    ],
)
def test_a_class_needs_as_many_photos_as_most_classes_have(counts: list[int], least: int):
    assert choose_min_samples(counts) == least


def test_one_class_is_none():
    with pytest.raises(CatalogueError, match=r"1 of 3 classes have 3 photos or more; expected 2 of them at least"):
        chosen(tally({"Aster": 80, "Bellis": 2, "Rosa": 1}))


@pytest.mark.parametrize(
    ("lower", "upper", "whole", "mixed"),
    [
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 3}}, (), {"a": {"b": 3, "c": 2}}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 3}}, ("a",), {"a": {"b": 3}}),
        ({"a": {"b": {"x": 1}, "c": 2}}, {"a": {"b": {"y": 1}}}, ("a.b",), {"a": {"b": {"y": 1}, "c": 2}}),
        ({"a": {"b": 1}}, {"a": None}, (), {"a": None}),
        ({"a": 1}, {"b": {"c": 1}}, ("b.c",), {"a": 1, "b": {"c": 1}}),
    ],
)
def test_an_overlay_is_laid_over_another(lower: dict, upper: dict, whole: tuple[str, ...], mixed: dict):
    assert lay_over(lower, upper, whole) == mixed
