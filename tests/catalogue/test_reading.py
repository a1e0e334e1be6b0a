"""One boundary: whatever a library raises becomes one line that names the file; bombs end early."""

import gzip
import lzma
import struct
import zlib
from pathlib import Path

import pytest

from fieldguide.catalogue.sources import reading as boundary
from fieldguide.catalogue.sources.reading import open_bytes, reading, unpacked_limit
from fieldguide.errors import CatalogueError, RecordError


class _OfSomeLibraryError(Exception):
    pass


@pytest.mark.parametrize(
    "error",
    [
        OSError("bad"),
        EOFError("bad"),
        zlib.error("bad"),
        lzma.LZMAError("bad"),
        struct.error("bad"),
        ValueError("bad"),
        NotImplementedError("bad"),
        RecursionError("bad"),
        MemoryError("bad"),
        _OfSomeLibraryError("bad"),
    ],
)
def test_every_failure_is_a_catalogue_error(error: Exception) -> None:
    with pytest.raises(CatalogueError, match=r"^o\.csv cannot be read: bad$") as caught, reading("o.csv"):
        raise error
    assert caught.value.__cause__ is error, "a bug of ours keeps its traceback"


def test_the_place_is_that_of_the_failure() -> None:
    line = 0
    with pytest.raises(CatalogueError, match=r"^o\.csv line 7 cannot be read: 'x'$"):  # noqa: SIM117
        with reading(lambda: f"o.csv line {line}"):
            line = 7
            raise KeyError("x")


def test_messages_are_one_short_line() -> None:
    with pytest.raises(CatalogueError) as caught, reading("o.csv"):
        raise ValueError("two\nlines " + "x" * 10_000)
    assert len(str(caught.value)) < 400
    assert "\n" not in str(caught.value)
    with pytest.raises(CatalogueError, match=r"cannot be read: EOFError$"), reading("o.csv"):
        raise EOFError


def test_what_is_named_already_stays_as_it_is() -> None:
    with pytest.raises(RecordError, match=r"^named$"), reading("o.csv"):
        raise RecordError("named")
    with pytest.raises(CatalogueError, match=r"^o\.csv is missing$"), reading("o.csv"):
        raise FileNotFoundError("o.csv")


def test_secrets_are_masked_and_do_not_stand_in_a_cause() -> None:
    with (
        pytest.raises(CatalogueError, match=r"^db cannot be read: \*\*\* refused$") as caught,
        reading("db", lambda text: text.replace("hidden", "***")),
    ):
        raise ValueError("hidden refused\n[SQL: SELECT hidden]")
    assert caught.value.__cause__ is None


def test_a_bomb_ends_at_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boundary, "ALWAYS_ALLOWED_BYTES", 2**20)
    path = tmp_path / "o.csv.gz"
    path.write_bytes(gzip.compress(bytes(2**24)))
    assert path.stat().st_size < 2**24 / 1000
    limit = unpacked_limit(path)
    with open_bytes(path) as stream, pytest.raises(OSError, match=f"unpacks to more than {limit} bytes"):
        while stream.read(2**16):
            pass
    path.write_bytes(gzip.compress(bytes(2**20)))
    with open_bytes(path) as stream:
        assert stream.read() == bytes(2**20)
