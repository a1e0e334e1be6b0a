"""Tables of photos as people have them, and how each is to be read."""

import json
import tarfile
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fieldguide.errors import CatalogueError
from fieldguide.survey.tables import TableLayout, find_table_layout
from tests.survey.conftest import Plant

NAMES = ("a.jpg", "b.jpg", "c.jpg")


def found(layout: TableLayout) -> dict[str, str]:
    return {ours: theirs for ours, theirs in layout.columns.items() if theirs}


def write_csv(path: str, folder: str = "") -> Path:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    rows = "".join(f"{folder}{name},Aster alpinus\n" for name in NAMES)
    Path(path).write_text(f"filename,label\n{rows}")
    return Path(path)


@pytest.mark.parametrize(
    ("photos", "table", "prefix", "given", "root"),
    [
        pytest.param("set/train_images", "set/train.csv", "", ["set/train_images"], "set/train_images", id="Kaggle"),
        pytest.param("set/train_images", "set/train.csv", "", [], "set/train_images", id="a folder beside the table"),
        pytest.param("set/images", "set/all.csv", "images/", [], None, id="paths from the table"),
        pytest.param("photos/a", "tables/all.csv", "", ["photos"], "photos/a", id="a folder in the given one"),
        pytest.param("photos/a", "tables/all.csv", "a/", ["photos"], "photos", id="the given folder"),
    ],
)
def test_where_paths_start(plant: Plant, photos: str, table: str, prefix: str, given: list[str], root: str | None):
    plant(*(f"{photos}/{name}" for name in NAMES))
    layout = find_table_layout(write_csv(table, prefix), [Path(path) for path in given])
    assert layout.root == (Path(root) if root else None)
    assert found(layout) == {"url": "filename", "label": "label"}
    assert not layout.is_remote


@pytest.mark.parametrize("ending", ["zip", "tar"])
def test_paths_may_start_in_an_archive(plant: Plant, ending: str):
    photos = plant(*(f"all/images/{name}" for name in NAMES))
    archive = Path(f"photos.{ending}")
    if ending == "zip":
        with zipfile.ZipFile(archive, "w") as packed:
            for name in photos:
                packed.write(name)
    else:
        with tarfile.open(archive, "w") as packed_tar:
            packed_tar.add("all", "./all")
    assert find_table_layout(write_csv("t.csv"), [archive]).root == archive / "all/images"
    assert find_table_layout(write_csv("t.csv", "images/"), [archive]).root == archive / "all"


def test_urls_need_no_folder(plant: Plant):
    lines = [{"url": f"https://a.org/{name}", "taxon": {"name": "Aster"}, "split": "train"} for name in NAMES]
    Path("rows.jsonl").write_text("\n".join(map(json.dumps, lines)))
    layout = find_table_layout(Path("rows.jsonl"), [])
    assert found(layout) == {"url": "url", "label": "taxon.name", "given_split": "split"}
    assert (layout.is_remote, layout.root, layout.explode) == (True, None, None)


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_a_list_of_photos_is_exploded(plant: Plant, ending: str):
    lines = [
        {"id": number, "species": "Aster", "photos": [{"url": f"https://a.org/{number}{n}.jpg"} for n in range(2)]}
        for number in range(5)
    ]
    path = Path(f"rows.{ending}")
    if ending == "jsonl":
        path.write_text("\n".join(map(json.dumps, lines)))
    else:
        pq.write_table(pa.Table.from_pylist(lines), path)
    layout = find_table_layout(path, [])
    assert found(layout) == {"url": "photos.url", "label": "species", "id": "id"}
    assert layout.explode == "photos"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "id,breed\n000bec,boxer\n",
            r"t\.csv: no column holds URLs or file names .* it has 'id' \('000bec'\), 'breed'",
        ),
        ("file,label\nx.jpg,Aster\n", r"t\.csv: none of 1 sampled photos, such as 'x.jpg', is found in photos, \."),
        ("file,label\n", r"t\.csv holds no rows"),
        ("file,label\n1.jpg\n", r"t\.csv holds no rows; left out 1 x bad row \(.*t\.csv line 2: 1 fields"),
    ],
)
def test_what_leads_to_no_photo_is_said(plant: Plant, content: str, message: str):
    plant("photos/a.jpg")
    Path("t.csv").write_text(content)
    with pytest.raises(CatalogueError, match=message):
        find_table_layout(Path("t.csv"), [Path("photos")])
