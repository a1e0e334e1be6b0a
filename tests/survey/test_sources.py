"""What a user points at, and the sections of `fetch.sources` that it becomes."""

from pathlib import Path
from typing import Any

import pytest

from fieldguide.errors import FieldguideError
from fieldguide.survey.sources import find_sources, source_name
from tests.survey.conftest import Plant

SPECIES = "(?P<label>[^/]+)/"


def sections(*photos: str, table: str | None = None) -> dict[str, Any]:
    found = find_sources([Path(path) for path in photos], Path(table) if table else None)
    return {name: source.section for name, source in found.items()}


def folders(*roots: str, pattern: str | None = None) -> dict[str, Any]:
    return {"kind": "folders", "roots": list(roots), "pattern": pattern}


def test_trees_of_one_layout_are_one_source(plant: Plant):
    plant("moths/Aster/1.jpg", "more/Bellis/1.jpg", "more/Bellis/2.jpg")
    assert sections("moths", "more") == {"moths": folders("moths", "more")}


def test_trees_of_other_layouts_are_others(plant: Plant):
    plant("a/Aster/1.jpg", "b/train/Aster/1.jpg", "b/test/Bellis/1.jpg")
    split = f"(?P<given_split>train|test)/{SPECIES}[^/]+"
    assert sections("a", "b") == {"a": folders("a"), "b": folders("b", pattern=split)}


def test_folders_of_splits_are_one_tree(plant: Plant):
    plant("moths/train/Aster/1.jpg", "moths/val/Aster/2.jpg", "moths/test/Bellis/1.jpg")
    whole = sections("moths")
    assert whole == {"moths": folders("moths", pattern=f"(?P<given_split>train|val|test)/{SPECIES}[^/]+")}
    assert sections("moths/train", "moths/val", "moths/test") == whole
    plant("moths/more/Aster/1.jpg")
    with pytest.raises(FieldguideError, match=r"moths holds other folders \(more\) than those of splits"):
        sections("moths/train", "moths/val", "moths/test")


def test_paths_below_the_working_directory_are_written_relative_to_it(plant: Plant, tmp_path: Path):
    plant("in/flora/Aster/1.jpg")
    assert sections(str(tmp_path / "in/flora")) == {"flora": folders("in/flora")}


def test_a_table_with_its_photos(plant: Plant):
    plant("set/images/1.jpg", "set/images/2.jpg")
    Path("set/train.csv").write_text("filename,label\n1.jpg,Aster\n2.jpg,Aster\n")
    section = {
        "kind": "observations",
        "path": "set/train.csv",
        "root": "set/images",
        "columns": {"url": "filename", "label": "label"},
    }
    assert sections("set/images", table="set/train.csv") == {"set": section}
    assert sections("set/images", "set/train.csv") == {"set": section}
    assert sections("set/train.csv") == {"set": section}


def test_a_table_for_each_split(plant: Plant):
    plant("set/images/1.jpg", "set/images/2.jpg")
    for name, photo in (("train", "1.jpg"), ("validation", "2.jpg")):
        Path(f"set/{name}.csv").write_text(f"filename,label\n{photo},Aster\n")
    found = sections("set/train.csv", "set/validation.csv")
    assert {name: (section["path"], section["given_split"]) for name, section in found.items()} == {
        "set": ("set/train.csv", "train"),
        "set-2": ("set/validation.csv", "val"),
    }


def test_a_list_of_urls(plant: Plant):
    Path("flora.txt").write_text("https://a.org/1.jpg\n")
    assert sections("flora.txt") == {"flora": {"kind": "urls", "path": "flora.txt"}}


@pytest.mark.parametrize(
    ("photos", "message"),
    [
        (["nowhere"], r"nowhere does not exist; expected folders or archives of photos, a table or a list of URLs"),
        (["notes.md"], r"notes\.md is not a folder, \.tar"),
        (["empty"], r"empty: no photo in it; expected `Species name/\*\.jpg`"),
        (["flat"], r"flat: its 2 photos lie in no folders .* by --table \(such as flat/labels\.csv\)"),
        (["a.csv", "b.csv"], r"a\.csv, b\.csv: expected folders and archives, one table, or one for each split"),
        (["flat", "list.txt"], r"flat, list\.txt: expected folders and archives, one table"),
    ],
)
def test_what_makes_no_source_is_said(plant: Plant, photos: list[str], message: str):
    plant("flat/1.jpg", "flat/2.jpg")
    Path("empty").mkdir()
    for name in ("notes.md", "list.txt", "a.csv", "b.csv", "flat/labels.csv"):
        Path(name).write_text("")
    with pytest.raises(FieldguideError, match=message):
        sections(*photos)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/data/Moths of 2024", "moths-of-2024"),
        ("/data/moths.tar.gz", "moths"),
        ("/data/produce50/images", "produce50"),
        ("/data/images", "photos"),
        ("/birds/train", "birds"),
        ("/data/flora.jsonl.gz", "flora"),
        ("/flora/manifest.csv", "flora"),
    ],
)
def test_a_source_is_called_after_the_first_folder_that_says_something(path: str, name: str):
    assert source_name(Path(path)) == name
