"""The rows are the specification: what was found, and the line that says what is odd about it."""

import re
from collections import Counter
from pathlib import Path

import pytest

from fieldguide.survey.headers import Headers
from fieldguide.survey.oddities import Findings, find_oddities
from fieldguide.survey.ranks import NO_RANKS, Ranks
from fieldguide.survey.sources import find_sources
from fieldguide.survey.tally import Tally
from tests.survey.conftest import Plant
from tests.survey.making import given, headers, tally


def odd(found: Tally | None = None, looked: Headers | None = None, ranks: Ranks = NO_RANKS) -> list[str]:
    return find_oddities(Findings({}, found or tally(), looked or headers(), ranks))


def test_of_ordinary_photographs_nothing_is_odd():
    assert odd() == []


@pytest.mark.parametrize(
    ("found", "line"),
    [
        (tally({"Aster": 1, "Bellis": 5, "Rosa": 1}), r"2 classes with one photo: Aster, Rosa"),
        (tally({"a": 1, "b": 1, "c": 1, "d": 1}), r"4 classes with one photo: a, b, c, \.\.\."),
        (tally({"Aster alpinus": 9, "aster_alpinus": 9}), r"1 class in two spellings: Aster alpinus = aster_alpinus"),
        (
            tally({"Bellis perennis": 9, "Bellis perenis": 9}),
            r"1 pair of classes one letter apart: bellis perenis / bellis perennis",
        ),
        (tally(num_rows=150), r"10 photos without a class; they become `other`"),
        (tally({"0": 9, "1": 9}), r"all classes are numbers, such as 0, 1;"),
        (tally(splits=given(100, 20, 10)), r"a split is given but cannot be honoured: 10 photos have none"),
        (tally(splits=given(140, 0, 0)), r"a split is given but cannot be honoured: all are train"),
        (
            tally(splits=given(80, 30, 30), train_labels=Counter({"Aster": 80})),
            r"1 class without a photo in train: Bellis",
        ),
        (tally(licences=Counter({"unknown": 4, "CC0-1.0": 136})), r"4 photos whose licence is unknown"),
        (tally(said=Counter(latitude=30, longitude=30)), r"30 photos have coordinates; fetch\.regions"),
        (
            tally(num_repeated_ids=2, repeated_ids=["1.jpg", "2.jpg"]),
            r"2 rows repeat the id or the file of another, which fetch refuses: 1\.jpg, 2\.jpg",
        ),
        (
            tally(num_two_labels=9, two_labels=["file:1.jpg (Aster, Rosa)"]),
            r"9 files under two classes: file:1\.jpg \(Aster, Rosa\), \.\.\.",
        ),
        (tally(is_whole=False), r"only the first 140 rows were counted"),
    ],
)
def test_rows_that_are_odd(found: Tally, line: str):
    assert any(re.match(line, each) for each in odd(found)), odd(found)


def test_files_that_are_odd():
    looked = headers(no_photos=["4.jpg"], missing=["5.jpg", "6.jpg"])
    assert odd(looked=looked) == [
        "1 of the files looked into are no photos: 4.jpg",
        "2 of the files looked for are missing: 5.jpg, 6.jpg",
    ]


def test_classes_that_the_taxonomy_lacks():
    ranks = Ranks(("species", "genus"), {}, "", ("'Rosa' (the table has 'Rosa canina')",), 1)
    assert odd(ranks=ranks) == [
        "1 class that the taxonomy lacks, which become `other`: 'Rosa' (the table has 'Rosa canina')"
    ]


def test_a_tree_that_is_odd(plant: Plant):
    plant("t/Aster/1.jpg", "t/Aster/2.jpg", "t/cover.jpg", "t/Rosa/3.jpg")
    Path("t/Rosa/1.jpg").write_bytes(Path("t/Aster/1.jpg").read_bytes())
    for name in ("Aster/1.heic", "Aster/notes.txt", "labels.csv"):
        Path("t", name).write_text("x")
    Path("t/empty").mkdir()
    sources = find_sources([Path("t")], None)
    assert find_oddities(Findings(sources, tally(), headers(), NO_RANKS)) == [
        "t: 1 file has name and size of another, maybe one photo: Aster/1.jpg = Rosa/1.jpg",
        "t: 1 photo in no class's folder, left out: cover.jpg",
        "t: pictures of other formats are left out; convert them to JPEG first: 1 .heic",
        "t: files that are no photos: 1 .txt (Aster/notes.txt)",
        "t: 1 folder without photos: empty",
        "t: tables that were not used; --table or --taxonomy names one: labels.csv",
    ]
