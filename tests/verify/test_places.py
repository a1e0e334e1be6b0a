"""The same search over a bucket and over HTTP: real servers, streams, nothing kept."""

import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import s3fs

from fieldguide.errors import FieldguideError, ParamsError
from fieldguide.verify.outputs import find_outputs
from fieldguide.verify.places import Place, find_places
from fieldguide.verify.search import search
from tests.s3_server import serve_s3
from tests.verify.making import copy_project, flip

FOLDERS = ("interim/resize", "interim/tfrecord", "models/tfjs")


@pytest.fixture(scope="module")
def published(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with a flipped bit in each of three files."""
    root = copy_project(project, tmp_path_factory.mktemp("published") / "root")
    flip(root / "interim/resize/val-00000.tar", 9000)
    flip(root / "interim/tfrecord/train-00001-of-00003.tfrecord", 9000)
    flip(root / "models/tfjs/examples/a.jpg", 4000)
    return root


@pytest.fixture(scope="module")
def http_root(published: Path) -> Iterator[str]:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(published)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def s3_root(published: Path) -> Iterator[str]:
    with serve_s3():
        store = s3fs.S3FileSystem()
        store.mkdir("herbarium")
        for folder in FOLDERS:
            store.put(f"{published / folder}/", f"herbarium/{folder}/", recursive=True)
        yield "s3://herbarium"


def bad_files(*words: str) -> list[str]:
    places = [place for word in words for place in find_places(word)]
    return [each.place.path for output in find_outputs(places) for each in search(output, 1).findings]


BAD = (
    "interim/resize/val-00000.tar",
    "interim/tfrecord/train-00001-of-00003.tfrecord",
    "models/tfjs/examples/a.jpg",
)


def test_a_bucket(s3_root: str):
    assert bad_files(f"{s3_root}/interim/*/", f"{s3_root}/models/tfjs") == [f"{s3_root}/{name}" for name in BAD]
    pattern = f"{s3_root}/interim/tfrecord/train-{{00000..00002}}-of-00003.tfrecord"
    assert bad_files(pattern) == [f"{s3_root}/{BAD[1]}"]
    assert bad_files(f"{s3_root}/interim/resize/train-*.tar") == []


def test_http(http_root: str):
    assert bad_files(*(f"{http_root}/{folder}/" for folder in FOLDERS)) == [f"{http_root}/{name}" for name in BAD]
    assert bad_files(f"{http_root}/interim/resize/{{train,val}}-00000.tar") == [f"{http_root}/{BAD[0]}"]


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("ftp://host/a.tar", "scheme 'ftp' is unknown"),
        ("https://host/*.tar", "https cannot be listed"),
        ("nothing-*.tar", "matches nothing"),
    ],
)
def test_words_that_name_nothing(word: str, message: str):
    with pytest.raises(ParamsError, match=message):
        find_places(word)


def test_what_is_not_there_is_an_error_and_no_bad_file(http_root: str):
    with pytest.raises(FieldguideError, match=r"absent\.tar is missing"):
        bad_files(f"{http_root}/absent.tar")
    with pytest.raises(FieldguideError, match="cannot be read"):
        bad_files("http://127.0.0.1:9/a.tar")


@pytest.mark.parametrize(
    ("path", "folder", "name"),
    [
        ("interim/a.tar", "interim", "a.tar"),
        ("a.tar", ".", "a.tar"),
        ("/a.tar", "/", "a.tar"),
        ("s3://bucket/x/a.tar", "s3://bucket/x", "a.tar"),
        ("s3://bucket/a.tar", "s3://bucket", "a.tar"),
        ("s3://bucket", "s3://bucket", ""),
        ("https://host/x/a.tar?key=1", "https://host/x", "a.tar"),
    ],
)
def test_folders_and_names(path: str, folder: str, name: str):
    assert (Place(path).folder.path, Place(path).name) == (folder, name)
    assert len(list(Place(path).above())) <= path.count("/") + 1
