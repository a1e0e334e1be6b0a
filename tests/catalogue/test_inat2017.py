"""The COCO-style JSON of the iNaturalist challenges, made here and as it was released."""

import copy
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fieldguide.catalogue.licences import normalise_licence
from fieldguide.catalogue.rows import Row
from fieldguide.catalogue.sources import Inat2017Source
from fieldguide.errors import CatalogueError

CHALLENGE: dict[str, Any] = {
    "info": {"year": 2017},
    "images": [
        {"id": 8, "file_name": "Plantae/Aster/8.jpg", "license": 2, "rights_holder": "Ada  Alder", "width": 800},
        {"id": 3, "file_name": "Aves/3.jpg", "license": 1, "rights_holder": ""},
        {"id": 5, "file_name": "5.jpg"},
    ],
    "annotations": [
        {"id": 1, "image_id": 8, "category_id": 0},
        {"id": 2, "image_id": 3, "category_id": 1, "bbox": [1, 2, 30.5, 40]},
        {"id": 3, "image_id": 3, "category_id": 1, "bbox": [9, 2, 30, 40]},
    ],
    "categories": [
        {"id": 1, "name": "Parus major", "supercategory": "Aves"},
        {"id": 0, "name": "Aster alpinus", "supercategory": "Plantae"},
    ],
    "licenses": [
        {"id": 1, "name": "Attribution License", "url": "http://creativecommons.org/licenses/by/4.0/"},
        {"id": 2, "name": "All rights reserved", "url": ""},
    ],
}


def read(path: Path, content: dict[str, Any] | str, **section: Any) -> list[Row]:
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return rows_of(path, **section)


def rows_of(path: Path, **section: Any) -> list[Row]:
    fill = {"region": None, "licence": None, "rights_holder": None}
    settings = {"kind": "inat2017", "path": path, "photos": "photos", "given_split": None, "fill": fill, **section}
    return list(Inat2017Source.model_validate(settings).rows())


def test_rows(tmp_path: Path) -> None:
    path = tmp_path / "train2017.json"
    first, second, third = read(path, CHALLENGE, given_split="train")
    assert first == Row(
        id="8",
        source_row="train2017.json:1",
        url=f"file:{tmp_path}/photos/Plantae/Aster/8.jpg",
        root=str(tmp_path),
        label="Aster alpinus",
        licence="All rights reserved",
        rights_holder="Ada Alder",
        given_split="train",
    )
    assert (second.label, second.licence) == ("Parus major", "http://creativecommons.org/licenses/by/4.0/")
    assert (third.label, third.licence, third.rights_holder) == (None, None, None)


BOXES = [
    ([[1, 2, 30.5, 40], [9, 2, 30, 40]], {}, (1, 2, 39, 42)),
    ([[1, 2, 30, 40]], {"width": 800, "height": 600}, (1, 2, 31, 42, 800, 600)),
    ([[1, 2, 30, 40]], {"width": 800}, (1, 2, 31, 42)),
    ([[5, 6, 7, 8], None, [1, 2, 0, 9], ["a", 2, 3, 4]], {}, (5, 6, 12, 14)),
    ([[-5, -6, 7, 8], [900, 0, 50, 50]], {}, (-5, -6, 950, 50)),
    ([[1, 2, 0, 9], None], {}, ()),
    ([None], {}, None),
    ([], {}, None),
]


@pytest.mark.parametrize(("boxes", "size", "hull"), BOXES)
def test_the_boxes_of_a_photo_are_one(tmp_path: Path, boxes: list[Any], size: dict[str, int], hull: Any) -> None:
    content = CHALLENGE | {"images": [{"id": 5, "file_name": "5.jpg", **size}], "annotations": []}
    content["annotations"] = [{"image_id": 5, "category_id": 1} | ({"bbox": box} if box else {}) for box in boxes]
    (row,) = read(tmp_path / "a.json", content)
    assert row.box == hull


@pytest.mark.parametrize("photos", ["https://photos.example.org/2017", "https://photos.example.org/2017/"])
def test_photos_may_lie_anywhere(tmp_path: Path, photos: str) -> None:
    first, *_ = read(tmp_path / "a.json", CHALLENGE, photos=photos)
    assert (first.url, first.root) == ("https://photos.example.org/2017/Plantae/Aster/8.jpg", None)


@pytest.mark.parametrize(
    ("photos", "url"),
    [
        ("p.tar", "tar://Plantae/Aster/8.jpg::{folder}/p.tar"),
        ("more/p.TAR.GZ", "tar://Plantae/Aster/8.jpg::{folder}/more/p.TAR.GZ"),
        ("p.zip", "zip://Plantae/Aster/8.jpg::{folder}/p.zip"),
        ("https://photos.example.org/p.tar", "https://photos.example.org/p.tar/Plantae/Aster/8.jpg"),
    ],
)
def test_photos_may_lie_in_an_archive(tmp_path: Path, photos: str, url: str) -> None:
    first, *_ = read(tmp_path / "a.json", CHALLENGE, photos=photos)
    assert first.url == url.format(folder=tmp_path)
    assert first.root == (None if "//" in photos else str(tmp_path))


def test_order_of_the_lists_and_compression_do_not_matter(tmp_path: Path) -> None:
    backwards = dict(reversed(CHALLENGE.items()))
    (tmp_path / "a.json.gz").write_bytes(gzip.compress(json.dumps(backwards).encode()))
    expected = read(tmp_path / "a.json", CHALLENGE)
    assert [(row.id, row.label) for row in rows_of(tmp_path / "a.json.gz")] == [(row.id, row.label) for row in expected]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"images": []}, "no photo found"),
        ({"images": {"8": {"id": 8}}}, r"a\.json: `images` is no list \(map\); expected one"),
        ({"annotations": {"8": 0}}, r"a\.json: `annotations` is no list \(map\); expected one"),
        ({"categories": []}, "no `categories`, but annotations that refer to them"),
        ({"categories": [{"name": "Parus major"}]}, r"categories\[1\]: no id; expected every one to have its own"),
        ({"categories": [{"id": [1], "name": "x"}]}, r"categories\[1\], id: got a list"),
        ({"categories": ["Parus major"]}, r"categories\[1\]: got 'Parus major'; expected an object"),
        (
            {"categories": [{"id": 1, "name": "x"}, {"id": 0, "name": "y"}, {"id": "1", "name": "z"}]},
            r"categories\[3\]: the id 1 is that of categories\[1\] already",
        ),
        (
            {"licenses": [{"id": 1, "name": "x"}, {"id": 1.0, "name": "y"}]},
            r"licenses\[2\]: the id 1 is that of licenses\[1\] already",
        ),
        (
            {"annotations": [{"image_id": "x8", "category_id": 1}, {"image_id": "x3", "category_id": 1}]},
            "no image has the id of any of 2 annotated ones; expected `image_id` in `annotations` to be an `id`",
        ),
        ({"images": [{"id": 1}]}, "image 1: got id '1', file_name None; expected both"),
        ({"images": ["a.jpg"]}, r"images\[1\]: got 'a.jpg'; expected an object"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, changed: dict[str, Any], message: str) -> None:
    with pytest.raises(CatalogueError, match=message):
        read(tmp_path / "a.json", CHALLENGE | changed)


@pytest.mark.parametrize("spell", [int, float, str, "  {}\u00a0".format, lambda number: number + 2**62])
@pytest.mark.parametrize("where", ["images", "annotations", "categories"])
def test_an_id_is_one_however_it_is_written(tmp_path: Path, spell: Callable[[int], Any], where: str) -> None:
    content = copy.deepcopy(CHALLENGE)
    large = 2**62 if spell(0) == 2**62 else 0
    for entry in [*content["images"], *content["annotations"], *content["categories"]]:
        for key in {"id", "image_id", "category_id"} & entry.keys():
            entry[key] += large
    for entry in content[where]:
        for key in {"id", "image_id", "category_id"} & entry.keys():
            entry[key] = spell(entry[key] - large)
    expected = ["Aster alpinus", "Parus major", None]
    assert [row.label for row in read(tmp_path / "a.json", content)] == expected


def test_ids_may_be_words(tmp_path: Path) -> None:
    """As camera traps' are."""
    content = {
        "images": [{"id": "f7c0-1", "file_name": "1.jpg"}],
        "annotations": [{"image_id": "f7c0-1", "category_id": "x"}],
        "categories": [{"id": "x", "name": "Parus major"}],
    }
    assert [(row.id, row.label) for row in read(tmp_path / "a.json", content)] == [("f7c0-1", "Parus major")]


@pytest.mark.parametrize(
    ("changed", "left", "message"),
    [
        (
            {"annotations": [*CHALLENGE["annotations"], {"image_id": 5, "category_id": 7}]},
            ["8", "3"],
            "image 3: category 7 is not among the 2 of `categories`",
        ),
        (
            {"annotations": [*CHALLENGE["annotations"], {"image_id": 8, "category_id": 1}]},
            ["3", "5"],
            "image 1: the image has the categories 0 and 1; expected one",
        ),
        (
            {"annotations": [*CHALLENGE["annotations"], {"image_id": 8, "category_id": [1]}]},
            ["8", "3", "5"],
            "annotation 4, category_id: got a list",
        ),
        (
            {"annotations": [*CHALLENGE["annotations"], {"image_id": 8}]},
            ["8", "3", "5"],
            "annotation 4: no image_id or no category_id; expected both",
        ),
        (
            {"annotations": [*CHALLENGE["annotations"], {"image_id": 99, "category_id": 1}]},
            ["8", "3", "5"],
            "1 x annotated image that is not in `images`",
        ),
        (
            {"categories": [{"id": 1, "name": None}, CHALLENGE["categories"][1]]},
            ["8", "5"],
            "image 2: the category 1 has no name; expected one",
        ),
        ({"images": [*CHALLENGE["images"], {"id": 9}]}, ["8", "3", "5"], "image 4: got id '9', file_name None"),
        ({"images": [*CHALLENGE["images"], 7]}, ["8", "3", "5"], "images[4]: got 7; expected an object"),
        ({}, ["8", "3", "5"], "1 of 3 images have no annotation"),
    ],
)
def test_a_bad_row_is_counted(
    tmp_path: Path, changed: dict[str, Any], left: list[str], message: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert [row.id for row in read(tmp_path / "a.json", CHALLENGE | changed)] == left
    assert message in caplog.text


def test_broken_files(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match=r"a\.json.* cannot be read: parse error"):
        read(tmp_path / "a.json", json.dumps(CHALLENGE)[:-300])
    with pytest.raises(CatalogueError, match=r"absent\.json is missing"):
        rows_of(tmp_path / "absent.json")
    (tmp_path / "a.json.gz").write_bytes(b"{}")
    with pytest.raises(CatalogueError, match=r"a\.json\.gz cannot be read"):
        rows_of(tmp_path / "a.json.gz")
    with pytest.raises(CatalogueError, match=r"a\.json cannot be read: parse error: integer overflow"):
        read(tmp_path / "a.json", '{"images": [{"id": ' + "9" * 5000 + "}]}")


def test_a_released_file(shared_data: Path) -> None:
    path = shared_data / "meta" / "inat2019" / "val2019.json"
    content = json.loads(path.read_text())
    names = {category["id"]: category["name"] for category in content["categories"]}
    category = {annotation["image_id"]: annotation["category_id"] for annotation in content["annotations"]}
    rows = rows_of(path, given_split="val")
    assert [(row.id, row.label) for row in rows] == [
        (str(image["id"]), names[category[image["id"]]]) for image in content["images"]
    ]
    assert "unknown" not in {normalise_licence(row.licence) for row in rows}
