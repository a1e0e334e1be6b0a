"""Lists of URLs become rows."""

from pathlib import Path

import pytest

from fieldguide.catalogue.sources import UrlsSource
from fieldguide.errors import CatalogueError
from tests.photo_server import serve_photos

NO_FILL = {"region": None, "licence": None, "rights_holder": None}


LIST = "# from 2011\n\nn1_2\thttp://a.org/1.jpg\n  http://a.org/2.jpg  \n# http://a.org/3.jpg\nphotos/4.jpg\n"


def urls(path: Path | str) -> UrlsSource:
    return UrlsSource.model_validate({"kind": "urls", "path": str(path), "fill": NO_FILL})


def test_what_comes_before_a_url_is_skipped(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text(LIST)
    assert [(row.id, row.source_row, row.url, row.root) for row in urls(tmp_path / "list.txt").rows()] == [
        ("http://a.org/1.jpg", "list.txt:3", "http://a.org/1.jpg", None),
        ("http://a.org/2.jpg", "list.txt:4", "http://a.org/2.jpg", None),
        ("photos/4.jpg", "list.txt:6", f"file:{tmp_path}/photos/4.jpg", str(tmp_path)),
    ]


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("n1_2 \t http://a.org/Cafe\u0301  1.jpg  ", "http://a.org/Cafe\u0301  1.jpg"),
        ("n1 2 tar://IMG  1.jpg::p.tar", "tar://IMG  1.jpg::p.tar"),
        ("http://a.org/?of=http://b.org/1.jpg", "http://a.org/?of=http://b.org/1.jpg"),
        ("IMG  0001.jpg", "IMG  0001.jpg"),
        ("Cafe\u0301/a%25#b.jpg", "Cafe\u0301/a%25#b.jpg"),
        ("\ufeffs3://b/1.jpg", "s3://b/1.jpg"),
    ],
)
def test_urls_and_paths_are_taken_as_they_are_written(tmp_path: Path, line: str, text: str) -> None:
    (tmp_path / "list.txt").write_text(f"{line}\r\n", encoding="utf-8")
    [row] = urls(tmp_path / "list.txt").rows()
    assert row.id == text
    assert row.url.endswith(text.replace("p.tar", f"{tmp_path}/p.tar"))


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
    ("path", "message"),
    [
        ("text/list.txt", "line 6: got the path 'photos/4.jpg'"),
        ("404", "404 cannot be read: HTTP"),
        ("reset/1", "reset/1 cannot be read: Remote end closed"),
        ("truncated/1", "truncated/1 cannot be read: the list ended"),
        ("redirect/http://[", "cannot be read: "),
        ("a b.txt", "a b.txt cannot be read: "),
    ],
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
