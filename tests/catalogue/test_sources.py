import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import TypeAdapter, ValidationError

from fieldguide.catalogue.rows import Row
from fieldguide.catalogue.sources import AnySource, FoldersSource, ObservationsSource, UrlsSource
from fieldguide.errors import CatalogueError
from tests.photo_server import serve_photos

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
    ("name", "content", "message"),
    [
        ("o.jsonl", GOOD + '{"id": 2, "link": \n', r"o\.jsonl line 2: not valid JSON"),
        ("o.jsonl", GOOD + "\n[1]\n", r"o\.jsonl line 3: got a list; expected one object per line"),
        ("o.jsonl", GOOD + '{"id": 2}\n', r"o\.jsonl line 2: column 'link' is empty"),
        ("o.jsonl", GOOD + '{"id": "", "link": "2.jpg"}\n', r"o\.jsonl line 2: column 'id' is empty"),
        ("o.jsonl", GOOD + '{"id": 2, "link": ["2.jpg"]}\n', r"o\.jsonl line 2, url: got a list; expected text"),
        ("o.jsonl", GOOD + '{"id": 2, "link": "2", "part": "x"}\n', r"o\.jsonl line 2, given_split: got 'x'"),
        ("o.jsonl", GOOD + "[" * 100_000, r"o\.jsonl line 2: not valid JSON"),
        ("o.jsonl", b"\xff\n", r"o\.jsonl line 1: not valid UTF-8"),
        ("o.jsonl", '{"id": 1, "link": "1.jpg"}\n', r"o\.jsonl: no row has a column 'name'; see `columns`"),
        ("o.csv", "id,link,who\n", r"o\.csv: no column 'name'; it has 'id', 'link', 'who'"),
        ("o.csv", "id,link,who,name,part\n1,2\n", r"o\.csv line 2: 2 fields; expected 5, as in the header"),
        ("o.csv", 'id,link,who,name,part\n"1"x,2\n', r"o\.csv line 2: "),
        ("o.csv", b"id,link,who,name,part\n1,\xff,,,\n", r"o\.csv line 2: not valid UTF-8"),
        ("o.jsonl.gz", "plain", r"o\.jsonl\.gz cannot be read"),
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


def plant(root: Path, *paths: str) -> Path:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"photo")
    return root


def folders(*roots: Path, pattern: str | None = None) -> FoldersSource:
    return FoldersSource.model_validate({"kind": "folders", "roots": roots, "pattern": pattern, "fill": NO_FILL})


def test_folders_are_labels_and_roots_are_merged(tmp_path: Path) -> None:
    first = plant(tmp_path / "a", "Bellis perennis/1.JPG", "Aster alpinus/2.png", "Aster alpinus/1.webp")
    second = plant(tmp_path / "b", "Aster alpinus/2.png", "Aster alpinus/notes.txt", "Aster alpinus/._1.jpg")
    rows = list(folders(first, second).rows())
    assert [(row.id, row.label, row.url) for row in rows] == [
        ("Aster alpinus/1.webp", "Aster alpinus", f"file:{first}/Aster alpinus/1.webp"),
        ("Aster alpinus/2.png", "Aster alpinus", f"file:{first}/Aster alpinus/2.png"),
        ("Bellis perennis/1.JPG", "Bellis perennis", f"file:{first}/Bellis perennis/1.JPG"),
        ("1:Aster alpinus/2.png", "Aster alpinus", f"file:{second}/Aster alpinus/2.png"),
    ]
    assert [row.root for row in rows] == [str(first)] * 3 + [str(second)]


def test_a_pattern_names_catalogue_columns(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    root = plant(tmp_path, "EU/Aster_alpinus/train_1.jpg", "EU/Aster_alpinus/test_2.jpg", "contact sheet.jpg")
    rows = folders(root, pattern=r"(?P<region>\w+)/(?P<label>\w+)/(?P<given_split>train|test)_.*").rows()
    assert [(row.region, row.label, row.given_split) for row in rows] == [
        ("EU", "Aster_alpinus", "test"),
        ("EU", "Aster_alpinus", "train"),
    ]
    assert "left out 1 files that do not match, as contact sheet.jpg" in caplog.text


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("(?P<species>.*)", "group 'species' is unknown; expected one of observation_id"),
        ("(", "not a regular expression"),
    ],
)
def test_a_wrong_pattern_is_refused_before_any_work(tmp_path: Path, pattern: str, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        folders(tmp_path, pattern=pattern)


@pytest.mark.parametrize(
    ("paths", "message"),
    [(["a.txt"], "no photo found"), (["a/b/c.jpg"], r"no photo found; 'a/b/c.jpg' does not match")],
)
def test_a_root_without_photos_is_an_error(tmp_path: Path, paths: list[str], message: str) -> None:
    with pytest.raises(CatalogueError, match=message):
        list(folders(plant(tmp_path, *paths)).rows())


def pack_tar(path: Path, names: list[str], mode: str) -> Path:
    with tarfile.open(path, mode) as archive:
        for name in names:
            archive.addfile(tarfile.TarInfo(name), io.BytesIO())
    return path


def pack_zip(path: Path, names: list[str], mode: str) -> Path:
    with zipfile.ZipFile(path, mode) as archive:
        for name in names:
            archive.writestr(name, b"")
    return path


@pytest.mark.parametrize(
    ("name", "pack", "mode", "scheme"),
    [
        ("a.tar", pack_tar, "w", "tar"),
        ("a.tar.gz", pack_tar, "w:gz", "tar"),
        ("a.tgz", pack_tar, "w:gz", "tar"),
        ("a.zip", pack_zip, "w", "zip"),
    ],
)
def test_an_archive_is_a_tree_too(tmp_path: Path, name: str, pack: Any, mode: str, scheme: str) -> None:
    names = ["./Bellis perennis/2.jpg", "Aster alpinus/1.PNG", "Aster alpinus/notes.txt", "Aster alpinus/._1.png"]
    archive = pack(tmp_path / name, names, mode)
    assert [(row.id, row.label, row.url, row.root) for row in folders(archive).rows()] == [
        ("Aster alpinus/1.PNG", "Aster alpinus", f"{scheme}://Aster alpinus/1.PNG::{archive}", str(tmp_path)),
        ("Bellis perennis/2.jpg", "Bellis perennis", f"{scheme}://./Bellis perennis/2.jpg::{archive}", str(tmp_path)),
    ]


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz", "a.zip"])
def test_a_broken_archive_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"no archive")
    with pytest.raises(CatalogueError, match=f"{name} cannot be read"):
        list(folders(tmp_path / name).rows())


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
    path.write_text(json.dumps({"id": 1, "photos": "3.jpg", "taxon": {}}))
    with pytest.raises(CatalogueError, match=r"line 1, photos: got a str; expected a list"):
        list(nested(path, url="photos").rows())
    path.write_text(json.dumps({"id": 1, "photos": [{"link": None}], "taxon": {}}))
    with pytest.raises(CatalogueError, match=r"line 1, photos\[0\]: column 'photos.link' is empty"):
        list(nested(path).rows())


@pytest.mark.parametrize(("latitude", "longitude"), [("91", "0"), ("north", "0"), ("0", "180.1"), ("nan", "0")])
def test_a_place_that_is_none_is_named(tmp_path: Path, latitude: str, longitude: str) -> None:
    path = tmp_path / "o.csv"
    path.write_text(f"id,link,who,name,part,y,x\n1,1.jpg,,,,{latitude},{longitude}\n")
    with pytest.raises(CatalogueError, match=r"o\.csv line 2, l\w+itude: got '.*'; expected degrees from -"):
        list(observations(path, latitude="y", longitude="x").rows())


def test_a_root_that_is_no_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="nowhere is not a folder"):
        list(folders(tmp_path / "nowhere").rows())


def test_a_file_name_that_is_not_text_is_an_error(tmp_path: Path) -> None:
    plant(tmp_path, "a/1.jpg")
    (Path(str(tmp_path / "a")) / b"\xff.jpg".decode("utf-8", "surrogateescape")).write_bytes(b"")
    with pytest.raises(CatalogueError, match="is not UTF-8"):
        list(folders(tmp_path).rows())


LIST = "# from 2011\n\nn1_2\thttp://a.org/1.jpg\n  http://a.org/2.jpg  \n# http://a.org/3.jpg\nphotos/4.jpg\n"


def urls(path: Path | str) -> UrlsSource:
    return UrlsSource.model_validate({"kind": "urls", "path": str(path), "fill": NO_FILL})


def test_the_last_word_of_a_line_is_the_url(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text(LIST)
    assert [(row.id, row.source_row, row.url, row.root) for row in urls(tmp_path / "list.txt").rows()] == [
        ("http://a.org/1.jpg", "list.txt:3", "http://a.org/1.jpg", None),
        ("http://a.org/2.jpg", "list.txt:4", "http://a.org/2.jpg", None),
        ("photos/4.jpg", "list.txt:6", f"file:{tmp_path}/photos/4.jpg", str(tmp_path)),
    ]


def test_a_line_that_repeats_a_url_is_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "list.txt").write_text("http://a.org/1.jpg\n2.jpg\nagain http://a.org/1.jpg\n2.jpg\n")
    assert [row.source_row for row in urls(tmp_path / "list.txt").rows()] == ["list.txt:1", "list.txt:2"]
    assert "left out 2 lines that repeat a URL" in caplog.text


def test_a_list_may_itself_have_a_url() -> None:
    with serve_photos() as server:
        server.texts["list.txt"] = LIST.replace("photos/4.jpg", "http://a.org/4.jpg")
        rows = list(urls(server.url("text/list.txt")).rows())
        assert [row.url for row in rows] == [f"http://a.org/{number}.jpg" for number in (1, 2, 4)]
        assert rows[0].source_row == "list.txt:3"


@pytest.mark.parametrize(
    ("path", "message"), [("text/list.txt", "line 6: got the path 'photos/4.jpg'"), ("404", "404 cannot be read: HTTP")]
)
def test_a_wrong_remote_list_is_an_error(path: str, message: str) -> None:
    with serve_photos() as server:
        server.texts["list.txt"] = LIST
        with pytest.raises(CatalogueError, match=message):
            list(urls(server.url(path)).rows())


@pytest.mark.parametrize(
    ("content", "message"), [(b"\xff\n", "line 1: not valid UTF-8"), (b"x" * 4_200_000, "line 1: longer")]
)
def test_a_broken_list_is_an_error(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "list.txt").write_bytes(content)
    with pytest.raises(CatalogueError, match=message):
        list(urls(tmp_path / "list.txt").rows())


def test_a_missing_list_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match=r"list\.txt is missing"):
        list(urls(tmp_path / "list.txt").rows())


def test_the_kind_picks_the_source() -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(AnySource)
    assert isinstance(adapter.validate_python({"kind": "urls", "path": "x", "fill": NO_FILL}), UrlsSource)
    with pytest.raises(ValidationError, match="'observations', 'folders', 'urls'"):
        adapter.validate_python({"kind": "gopher"})
