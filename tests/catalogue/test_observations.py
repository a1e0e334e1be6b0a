"""Tables of any format become rows; what is wrong in them is named by file and line."""

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

NO_FILL = {"region": None, "licence": None, "rights_holder": None}


COLUMNS = {
    "id": "id",
    "url": "link",
    "observation_id": None,
    "observer": "who",
    "label": "name",
    "region": None,
    "country": None,
    "latitude": None,
    "longitude": None,
    "licence": None,
    "rights_holder": None,
    "given_split": "part",
}


TABLE = [
    {"id": 1, "link": "photos/1.jpg", "who": " Ada ", "name": "Aster\u00a0 alpinus", "part": "train", "extra": "x"},
    {"id": 2, "link": "http://a.org/2.jpg", "who": None, "name": "Bellis; perennis", "part": None, "extra": None},
]


def observations(path: Path, root: Path | None = None, **columns: str | None) -> ObservationsSource:
    section = {"kind": "observations", "path": path, "root": root, "columns": COLUMNS | columns, "explode": None}
    return ObservationsSource.model_validate({**section, "fill": NO_FILL})


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


GOOD = '{"id": 1, "link": "1.jpg", "who": "a", "name": "b", "part": "val"}\n'


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ('{"id": 2, "link": \n', "line 2: not valid JSON"),
        ("\n[1]\n", "line 3: got a list; expected one object per line"),
        ('{"id": 2}\n', "line 2: column 'link' is empty"),
        ('{"id": "", "link": "2.jpg"}\n', "line 2: column 'id' is empty"),
        ('{"id": NaN, "link": "2.jpg"}\n', "line 2: column 'id' is empty"),
        ('{"id": 2, "link": ["2.jpg"]}\n', "line 2, url: got a list; expected text"),
        ('{"id": 2, "link": "2", "part": "x"}\n', "line 2, given_split: got 'x'"),
        ('{"id": 2, "link": "2", "link": "3"}\n', "line 2: not valid JSON (the key 'link' stands in it twice)"),
        ('{"id": %s, "link": "2"}\n' % ("9" * 5000), "line 2: not valid JSON"),
        ("[" * 100_000, "line 2: not valid JSON"),
    ],
)
def test_a_bad_row_is_counted(tmp_path: Path, bad: str, message: str, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "o.jsonl").write_text(GOOD + bad)
    assert [row.id for row in observations(tmp_path / "o.jsonl").rows()] == ["1"]
    assert "1 photos; left out 1 x bad row" in caplog.text
    assert message in caplog.text
    (tmp_path / "o.jsonl").write_text("\n" + bad)
    with pytest.raises(CatalogueError, match=r"o\.jsonl: no (photo found; left out 1 x bad|row has a column)"):
        list(observations(tmp_path / "o.jsonl").rows())


HEADER = "id,link,who,name,part\n"


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("2,2.jpg\n", "line 3: 2 fields; expected 5, as in the header"),
        ("2,2.jpg,,,,x\n", "line 3: 6 fields; expected 5, as in the header"),
        ('2,2.jpg,,"Aster \\"alpinus\\"",\n', "line 3: ',' expected after '\"'"),
        ("2,2.jpg,,%s,\n" % ("x" * 140_000), "line 3: field larger than field limit"),
    ],
)
def test_a_bad_line_of_a_csv_is_counted(
    tmp_path: Path, bad: str, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "o.csv").write_text(f"{HEADER}1,1.jpg,,,\n{bad}3,3.jpg,,,\n")
    assert [row.id for row in observations(tmp_path / "o.csv").rows()] == ["1", "3"]
    assert message in caplog.text


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("o.jsonl", b"\xff\n", r"o\.jsonl line 1: not valid UTF-8"),
        ("o.jsonl", '{"id": 1, "link": "1.jpg"}\n', r"o\.jsonl: no row has a column 'name'; see `columns`"),
        ("o.csv", "id,link,who\n", r"o\.csv: no column 'name'; it has 'id', 'link', 'who'"),
        ("o.csv", HEADER + '1,1.jpg,"Ada,,\n2,2.jpg,,,\n', r"o\.csv line 2: a quote is not closed in its line"),
        ("o.csv", HEADER.replace("\n", "\r") + "1,2.jpg,,,\r", r"o\.csv line 1: lines end in CR alone"),
        ("o.csv", HEADER.encode("utf-16"), r"o\.csv line 1: not valid UTF-8"),
        ("o.csv", "id,link,who,name,part,name\n", r"o\.csv: columns 4 and 6 are both called 'name'; expected one"),
        ("o.csv", HEADER.encode() + b"1,\xff,,,\n", r"o\.csv line 2: not valid UTF-8"),
        ("o.csv", "", r"o\.csv: no column 'id'"),
        ("o.jsonl.gz", "plain", r"o\.jsonl\.gz line 1 cannot be read"),
        ("o.parquet", "plain", r"o\.parquet cannot be read"),
        ("o.xlsx", "plain", r"a table of type '\.xlsx'; expected one of \.jsonl, \.csv, \.tsv, \.parquet"),
    ],
)
def test_a_broken_table_is_named_by_file_and_line(
    tmp_path: Path, name: str, content: str | bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(CatalogueError, match=message) as caught:
        list(observations(tmp_path / name).rows())
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("ending", ["jsonl.gz", "csv.gz"])
def test_a_gzip_that_is_damaged_anywhere_is_one_line(tmp_path: Path, ending: str) -> None:
    lines = "".join(f"{i},{i * 7919 % 10007}.jpg,,Aster,\n" for i in range(3000))
    if ending == "jsonl.gz":
        lines = "".join(GOOD.replace("1.jpg", f"{i * 7919 % 10007}.jpg") for i in range(3000))
    whole = gzip.compress(((HEADER if ending == "csv.gz" else "") + lines).encode())
    for at in range(0, len(whole), len(whole) // 40):
        damaged = bytearray(whole)
        damaged[at : at + 8] = b"\xff" * 8
        (tmp_path / f"o.{ending}").write_bytes(damaged)
        with pytest.raises(CatalogueError, match=rf"o\.{ending}") as caught:
            list(observations(tmp_path / f"o.{ending}").rows())
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("compression", ["snappy", "zstd", "gzip", "brotli", "lz4"])
def test_a_damaged_parquet_is_one_line(tmp_path: Path, compression: str) -> None:
    table = pa.table({"id": range(3000), "link": [f"{i}.jpg" for i in range(3000)], "who": ["a"] * 3000})
    table = table.append_column("name", table["link"]).append_column("part", pa.nulls(3000))
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression=compression, use_dictionary=False, write_page_checksum=True)
    damaged = bytearray(sink.getvalue())
    for at in range(2000, 2100):
        damaged[at] ^= 0x5A
    (tmp_path / "o.parquet").write_bytes(damaged)
    with pytest.raises(CatalogueError, match=r"o\.parquet row \d+ cannot be read") as caught:
        list(observations(tmp_path / "o.parquet").rows())
    assert "\n" not in str(caught.value)


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


def test_a_missing_table_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match=r"nothing\.jsonl is missing"):
        list(observations(tmp_path / "nothing.jsonl").rows())


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


NESTED = [
    {"id": 7, "who": "Ada", "taxon": {"name": "Aster alpinus"}, "photos": [{"link": "1.jpg"}, {"link": "2.jpg"}]},
    {"id": 8, "taxon": {"name": "Bellis perennis"}, "photos": []},
    {"id": 9, "photos": ["3.jpg"], "taxon": {}},
]


def nested(path: Path, **columns: str | None) -> ObservationsSource:
    names = dict.fromkeys(COLUMNS) | {"id": "id", "url": "photos.link", "label": "taxon.name", "observation_id": "id"}
    section = {"kind": "observations", "path": path, "root": None, "columns": names | columns, "explode": "photos"}
    return ObservationsSource.model_validate({**section, "fill": NO_FILL})


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


@pytest.mark.parametrize("write", ["jsonl", "parquet"])
def test_a_record_with_several_photos_is_several_rows(tmp_path: Path, write: str) -> None:
    path = tmp_path / f"o.{write}"
    if write == "jsonl":
        path.write_text("".join(json.dumps(record) + "\n" for record in NESTED[:2]))
    else:
        pq.write_table(pa.Table.from_pylist(NESTED[:2]), path)
    rows = list(nested(path).rows())
    assert [(row.id, row.label, row.observation_id, row.url) for row in rows] == [
        ("7/0", "Aster alpinus", "7", f"file:{tmp_path}/1.jpg"),
        ("7/1", "Aster alpinus", "7", f"file:{tmp_path}/2.jpg"),
    ]
    assert rows[1].source_row == f"o.{write}:1[1]"


def test_a_list_of_plain_urls_is_exploded_too(tmp_path: Path) -> None:
    path = tmp_path / "o.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in NESTED[2:]))
    (row,) = nested(path, url="photos", id="photos").rows()
    assert (row.id, row.observation_id, row.label) == ("3.jpg", "9", None)
    for photos, message in (
        ("3.jpg", r"line 1, photos: got a str; expected a list"),
        ([{"link": None}], r"line 1, photos\[0\]: column 'photos.link' is empty"),
    ):
        path.write_text(json.dumps({"id": 1, "photos": photos, "taxon": {}}))
        with pytest.raises(CatalogueError, match=message):
            list(nested(path).rows())


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
