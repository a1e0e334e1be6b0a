"""Damaged anywhere and in any way, every kind of source gives its rows or one line that names its file."""

import gzip
import io
import json
import random
import sqlite3
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import TypeAdapter

from fieldguide.catalogue.rows import Source
from fieldguide.catalogue.sources import AnySource
from fieldguide.errors import FieldguideError
from tests.catalogue.darwin_core import FILES
from tests.catalogue.test_inat2017 import CHALLENGE
from tests.catalogue.test_inat_open_data import TABLES

COLUMNS = {"id": "id", "url": "url", "label": "name", "latitude": "y"}
RECORDS = [{"id": i, "url": f"{i}.jpg", "name": f"Aster {i * 7919 % 101}", "y": i / 7} for i in range(200)]


def _jsonl(path: Path) -> None:
    path.write_text("".join(json.dumps(record) + "\n" for record in RECORDS))


def _csv(path: Path) -> None:
    path.write_text("id,url,name,y\n" + "".join('{id},{url},"{name}",{y}\n'.format(**record) for record in RECORDS))


def _parquet(compression: str) -> Callable[[Path], None]:
    return lambda path: pq.write_table(pa.Table.from_pylist(RECORDS), path, compression=compression)


def _packed(write: Callable[[Path], None]) -> Callable[[Path], None]:
    def pack(path: Path) -> None:
        write(path)
        path.write_bytes(gzip.compress(path.read_bytes()))

    return pack


def _coco(path: Path) -> None:
    path.write_text(json.dumps(CHALLENGE))


def _tar(mode: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
            for number in range(8):
                entry = tarfile.TarInfo(f"Aster/{'long' * 40 * (number % 2)}{number}.jpg")
                entry.size = 300
                archive.addfile(entry, io.BytesIO(bytes(300)))

    return write


def _zip(files: dict[str, str], method: int) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w", method) as archive:
            for name, content in files.items():
                archive.writestr(name, content)

    return write


def _sqlite(path: Path) -> None:
    path.unlink(missing_ok=True)
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE photos (id, url, name, y)")
        database.executemany("INSERT INTO photos VALUES (:id, 'http://' || :url, :name, :y)", RECORDS)
    database.close()


def _open_data(path: Path) -> None:
    for name, lines in TABLES.items():
        (path.parent / f"{name}.csv.gz").write_bytes(gzip.compress("\n".join(lines).encode()))


OBSERVATIONS = {"kind": "observations", "columns": COLUMNS}
FOLDERS = {"kind": "folders"}
DWCA = {"kind": "dwca", "label": "species"}
COCO = {"kind": "inat2017", "photos": "photos"}
OPEN_DATA = {
    "kind": "inat_open_data",
    "base_url": "https://a.org",
    "size": "medium",
    "quality_grades": ["research"],
    "rank": "species",
}
SQL = {"kind": "sql", "query": "SELECT * FROM photos ORDER BY id", "columns": COLUMNS, "batch_size": 10}
KINDS: list[tuple[str, dict[str, Any], Callable[[Path], None]]] = [
    ("o.jsonl", OBSERVATIONS, _jsonl),
    ("o.csv", OBSERVATIONS, _csv),
    ("o.csv.gz", OBSERVATIONS, _packed(_csv)),
    *((f"{name}.parquet", OBSERVATIONS, _parquet(name)) for name in ("none", "snappy", "zstd", "gzip", "brotli")),
    ("a.tar", FOLDERS, _tar("w")),
    ("a.tar.gz", FOLDERS, _tar("w:gz")),
    ("a.zip", FOLDERS, _zip({f"Aster/{i}.jpg": "x" for i in range(9)}, zipfile.ZIP_STORED)),
    ("stored.zip", DWCA, _zip(FILES, zipfile.ZIP_STORED)),
    ("deflated.zip", DWCA, _zip(FILES, zipfile.ZIP_DEFLATED)),
    ("bzip2.zip", DWCA, _zip(FILES, zipfile.ZIP_BZIP2)),
    ("lzma.zip", DWCA, _zip(FILES, zipfile.ZIP_LZMA)),
    ("c.json", COCO, _coco),
    ("c.json.gz", COCO, _packed(_coco)),
    ("photos.csv.gz", OPEN_DATA, _open_data),
    ("p.sqlite", SQL, _sqlite),
]


def source(path: Path, section: dict[str, Any]) -> Source:
    where: dict[str, Any] = {"path": path}
    if section is FOLDERS:
        where = {"roots": [path]}
    elif section is OPEN_DATA:
        where = {"path": path.parent}
    elif section is SQL:
        where = {"url": f"sqlite:///{path}"}
    adapter: TypeAdapter[Source] = TypeAdapter(AnySource)
    return adapter.validate_python(section | where)


def damage(content: bytes, seed: str, times: int) -> Iterator[bytes]:
    """Flips, overwritten runs, cuts and repeats at seeded places."""
    chance = random.Random(seed)
    for number in range(times):
        damaged = bytearray(content)
        at = chance.randrange(len(content))
        if number % 4 == 0:
            damaged[at] ^= 1 << chance.randrange(8)
        elif number % 4 == 1:
            damaged[at : at + 8] = chance.choice([b"\xff" * 8, bytes(8), b"9" * 5000, b'\n"\r\x1b[2J'])
        elif number % 4 == 2:
            del damaged[at:]
        else:
            damaged[at:at] = damaged[max(0, at - 50) : at]
        yield bytes(damaged)


@pytest.mark.parametrize(("name", "section", "write"), KINDS, ids=[name for name, *_ in KINDS])
def test_damage_is_one_line(tmp_path: Path, name: str, section: dict[str, Any], write: Callable[[Path], None]) -> None:
    path = tmp_path / name
    write(path)
    assert list(source(path, section).rows())
    messages = []
    for content in damage(path.read_bytes(), name, 40):
        path.write_bytes(content)
        try:
            list(source(path, section).rows())
        except FieldguideError as error:
            messages.append(str(error))
    assert messages
    assert [text for text in messages if name not in text or "\n" in text or len(text) > 1500] == []
