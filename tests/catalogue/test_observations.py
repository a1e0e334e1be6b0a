"""Tables of any format become the same rows."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import TypeAdapter, ValidationError

from fieldguide.catalogue.rows import Row
from fieldguide.catalogue.sources import AnySource, ObservationsSource, UrlsSource
from fieldguide.errors import CatalogueError
from tests.catalogue.observing import GOOD, HEADER, NO_FILL, observations

TABLE = [
    {"id": 1, "link": "photos/1.jpg", "who": " Ada ", "name": "Aster\u00a0 alpinus", "part": "train", "extra": "x"},
    {"id": 2, "link": "http://a.org/2.jpg", "who": None, "name": "Bellis; perennis", "part": None, "extra": None},
]


def write_jsonl(path: Path) -> None:
    path.write_text("\n".join(map(json.dumps, TABLE)) + "\n\n")


def write_csv(delimiter: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        lines = [list(TABLE[0]), *(list(row.values()) for row in TABLE)]
        quoted = ["" if cell is None else f'"{cell}"' for line in lines for cell in line]
        rows = [quoted[start : start + 6] for start in range(0, len(quoted), 6)]
        path.write_text("\ufeff" + "".join(delimiter.join(row) + "\r\n" for row in rows))

    return write


def write_gzip(path: Path) -> None:
    path.write_bytes(gzip.compress("\n".join(map(json.dumps, TABLE)).encode()))


def write_parquet(path: Path) -> None:
    pq.write_table(pa.Table.from_pylist(TABLE), path)


@pytest.mark.parametrize(
    ("name", "write", "first"),
    [
        ("o.jsonl", write_jsonl, 1),
        ("o.jsonl.gz", write_gzip, 1),
        ("o.csv", write_csv(","), 2),
        ("o.csv", write_csv(";"), 2),
        ("o.tsv", write_csv("\t"), 2),
        ("o.parquet", write_parquet, 1),
    ],
)
def test_every_table_format_gives_the_same_rows(
    tmp_path: Path, name: str, write: Callable[[Path], None], first: int
) -> None:
    path = tmp_path / name
    write(path)
    assert list(observations(path).rows()) == [
        Row(
            id="1",
            source_row=f"{name}:{first}",
            url=f"file:{tmp_path}/photos/1.jpg",
            root=str(tmp_path),
            observer="Ada",
            label="Aster alpinus",
            given_split="train",
        ),
        Row(id="2", source_row=f"{name}:{first + 1}", url="http://a.org/2.jpg", root=None, label="Bellis; perennis"),
    ]


@pytest.mark.parametrize(
    "content",
    [
        HEADER + "1,1.jpg,Ada,Aster,train\n",
        HEADER.replace("\n", ",,\n") + "1,1.jpg,Ada,Aster,train,,\n",
        HEADER + "1,1.jpg,Ada,Aster,train,,\n",
        (HEADER + "1,1.jpg,Ada,Aster,train\n").replace(",", "|"),
        "sep=;\r\n" + (HEADER + "1,1.jpg,Ada,Aster,train\n").replace(",", ";"),
        HEADER.replace("who", '"who"') + '\n"1","1.jpg","Ada","Aster\n","train"\n',
        HEADER + "1.0,1.jpg,Ada,Aster,train\n",
    ],
)
def test_a_csv_as_spreadsheets_write_it(tmp_path: Path, content: str) -> None:
    (tmp_path / "o.csv").write_text(content, newline="")
    (row,) = observations(tmp_path / "o.csv").rows()
    assert (row.id, row.observer, row.label, row.given_split) == ("1", "Ada", "Aster", "train")
    assert row.url.endswith("/1.jpg")


@pytest.mark.parametrize(
    "section",
    [
        {"columns": {"url": "filename", "label": "label"}, "root": "images"},
        {"columns": {"id": "filename", "url": "filename", "label": "label"}, "root": "images", "given_split": "train"},
    ],
)
def test_three_lines_are_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, section: dict[str, Any]) -> None:
    monkeypatch.chdir(tmp_path)
    Path("train.csv").write_text("filename,label\n1.jpg,Aster\n2.jpg,\n")
    rows = list(ObservationsSource.model_validate({"kind": "observations", "path": "train.csv", **section}).rows())
    assert [(row.id, row.url, row.label) for row in rows] == [
        ("1.jpg", "file:images/1.jpg", "Aster"),
        ("2.jpg", "file:images/2.jpg", None),
    ]
    assert {row.given_split for row in rows} == {section.get("given_split")}


def test_a_rows_own_split_goes_before_that_of_its_file(tmp_path: Path) -> None:
    (tmp_path / "o.csv").write_text(HEADER + "1,1.jpg,,,val\n2,2.jpg,,,\n")
    source = observations(tmp_path / "o.csv").model_copy(update={"given_split": "test"})
    assert [row.given_split for row in source.rows()] == ["val", "test"]


def test_tables_stream(tmp_path: Path) -> None:
    (tmp_path / "o.jsonl").write_text(GOOD + "broken")
    assert next(observations(tmp_path / "o.jsonl").rows()).id == "1"


def test_without_an_id_column_the_url_is_the_id(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "o.jsonl")
    assert [row.id for row in observations(tmp_path / "o.jsonl", id=None).rows()] == [
        "photos/1.jpg",
        "http://a.org/2.jpg",
    ]


@pytest.mark.parametrize(
    ("root", "url", "inside"),
    [
        (None, "file:tables/photos/1.jpg", "tables"),
        ("images", "file:images/photos/1.jpg", "images"),
        ("images/all.zip", "zip://photos/1.jpg::images/all.zip", "images"),
        ("images/all.tar.gz/train", "tar://train/photos/1.jpg::images/all.tar.gz", "images"),
    ],
)
def test_paths_start_from_a_folder_an_archive_or_a_folder_in_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: str | None, url: str, inside: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tables").mkdir()
    write_jsonl(Path("tables/o.jsonl"))
    local, remote = observations(Path("tables/o.jsonl"), Path(root) if root else None).rows()
    assert (local.url, local.root) == (url, inside)
    assert (remote.url, remote.root) == ("http://a.org/2.jpg", None)


@pytest.mark.parametrize("write", ["jsonl", "csv", "parquet"])
def test_boxes_come_with_the_size_of_their_picture(tmp_path: Path, write: str) -> None:
    path = tmp_path / f"o.{write}"
    boxes = [[1, 2, 30, 40], None, [0, 0, 0, 0]]
    if write == "jsonl":
        path.write_text(
            "".join(
                json.dumps({"link": f"{n}.jpg", "at": box, "w": 640, "h": 480}) + "\n" for n, box in enumerate(boxes)
            )
        )
    elif write == "csv":
        path.write_text('link;at;w;h\n0.jpg;"1 2 30 40";640;480\n1.jpg;;640;480\n2.jpg;[0, 0, 0, 0];640;480\n')
    else:
        pq.write_table(
            pa.table({"link": ["0.jpg", "1.jpg", "2.jpg"], "at": boxes, "w": [640.0] * 3, "h": [480] * 3}), path
        )
    columns = {"url": "link", "box": "at", "width": "w", "height": "h"}
    source = ObservationsSource.model_validate({"kind": "observations", "path": path, "columns": columns})
    assert [row.box for row in source.rows()] == [(1, 2, 31, 42, 640, 480), None, ()]


@pytest.mark.parametrize(("latitude", "longitude"), [("91", "0"), ("north", "0"), ("0", "180.1"), ("inf", "0")])
def test_a_place_that_is_none_is_named(tmp_path: Path, latitude: str, longitude: str) -> None:
    path = tmp_path / "o.csv"
    path.write_text(f"id,link,who,name,part,y,x\n1,1.jpg,,,,{latitude},{longitude}\n")
    with pytest.raises(CatalogueError, match=r"o\.csv line 2, l\w+itude: got '.*'; expected degrees from -"):
        list(observations(path, latitude="y", longitude="x").rows())


@pytest.mark.parametrize("nothing", ["NaN", "nan", "NA", "NULL", "None", "n/a", ""])
def test_no_number_is_no_place(tmp_path: Path, nothing: str) -> None:
    path = tmp_path / "o.csv"
    path.write_text(f"id,link,who,name,part,y,x\n1,1.jpg,,,,{nothing},{nothing}\n")
    (row,) = observations(path, latitude="y", longitude="x").rows()
    assert (row.latitude, row.longitude) == (None, None)


def test_the_kind_picks_the_source() -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(AnySource)
    assert isinstance(adapter.validate_python({"kind": "urls", "path": "x", "fill": NO_FILL}), UrlsSource)
    with pytest.raises(ValidationError, match="'observations', 'folders', 'urls'"):
        adapter.validate_python({"kind": "gopher"})
