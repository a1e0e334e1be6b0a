"""The rows are the specification: paths, and what a source is to read from them."""

import re

import pytest

from fieldguide.survey.layout import find_layout

SPECIES = "(?P<label>[^/]+)/"


@pytest.mark.parametrize(
    ("paths", "pattern", "text"),
    [
        pytest.param(["Aster alpinus/1.jpg", "Bellis perennis/1.jpg"], None, "species / file", id="species"),
        pytest.param(["Aster alpinus/1.jpg"], None, "species / file", id="one species"),
        pytest.param(["Aster alpinus/1.jpg", "cover.jpg"], None, "species / file", id="a photo beside the folders"),
        pytest.param(
            ["train/Aster/1.jpg", "val/Aster/2.jpg", "test/Bellis/1.jpg"],
            f"(?P<given_split>train|val|test)/{SPECIES}[^/]+",
            "train|val|test / species / file",
            id="splits",
        ),
        pytest.param(
            ["Training/Aster/1.jpg", "Validation/Aster/2.jpg"],
            f"(?P<given_split>Training|Validation)/{SPECIES}[^/]+",
            "Training|Validation / species / file",
            id="splits called otherwise",
        ),
        pytest.param(
            ["Aster/train/1.jpg", "Bellis/test/2.jpg"],
            f"{SPECIES}(?P<given_split>train|test)/[^/]+",
            "species / train|test / file",
            id="splits within species",
        ),
        pytest.param(
            ["Aster/train_1.jpg", "Aster/test_1.jpg", "Bellis/val-2.jpg"],
            f"{SPECIES}(?P<given_split>train|val|test)[_-][^/]*",
            "species / train|val|test_*",
            id="splits in file names",
        ),
        pytest.param(
            ["Aster/train_1.jpg", "Aster/1.jpg"], None, "species / file", id="not all file names begin with a split"
        ),
        pytest.param(
            ["train/1.jpg", "test/1.jpg"], None, "species / file", id="a folder above the photos is the label"
        ),
        pytest.param(
            ["moths (2024)/images/Aster/1.jpg", "moths (2024)/images/Bellis/1.jpg"],
            rf"moths\ \(2024\)/images/{SPECIES}[^/]+",
            "moths (2024) / images / species / file",
            id="folders that all share",
        ),
        pytest.param(
            ["set/train/Aster/1.jpg", "set/test/Aster/1.jpg"],
            f"set/(?P<given_split>train|test)/{SPECIES}[^/]+",
            "set / train|test / species / file",
            id="splits below a folder that all share",
        ),
        pytest.param(
            ["Asteraceae/Aster/Aster alpinus/1.jpg", "Rosaceae/Rosa/Rosa canina/1.jpg"],
            f"[^/]+/[^/]+/{SPECIES}[^/]+",
            "... / species / file",
            id="higher ranks above",
        ),
        pytest.param(
            ["train/Asteraceae/Aster alpinus/1.jpg", "val/Rosa canina/1.jpg"],
            f"(?P<given_split>train|val)/(?:[^/]+/)*{SPECIES}[^/]+",
            "train|val / ... / species / file",
            id="species at several depths",
        ),
    ],
)
def test_paths_say_what_photos_are(paths: list[str], pattern: str | None, text: str):
    layout = find_layout(paths)
    assert layout is not None
    assert (layout.pattern, layout.text) == (pattern, text)
    assert layout.has_split == ("given_split" in (pattern or ""))
    compiled = re.compile(layout.pattern or f"{SPECIES}[^/]+")
    assert all(compiled.fullmatch(path) for path in paths if "/" in path)


def test_photos_without_folders_have_no_layout():
    assert find_layout(["1.jpg", "2.jpg"]) is None
    assert find_layout([]) is None
