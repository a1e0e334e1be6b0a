"""fieldguide/export/packing.py: what is no text travels as gzip, the same bytes on any machine."""

import gzip
from pathlib import Path

from fieldguide.export.packing import pack_files
from fieldguide.files import file_sha256

CODES = bytes(range(32)) * 4000


def test_files_that_are_no_text_are_replaced_by_what_unpacks_to_them(tmp_path: Path) -> None:
    (tmp_path / "group1-shard1of1.bin").write_bytes(CODES)
    (tmp_path / "empty.bin").touch()
    (tmp_path / "tool.wasm").write_bytes(b"\0asm" + CODES)
    (tmp_path / "labels.json").write_text("{}")
    pack_files(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "empty.bin.gzip",
        "group1-shard1of1.bin.gzip",
        "labels.json",
        "tool.wasm.gzip",
    ]
    assert gzip.decompress((tmp_path / "group1-shard1of1.bin.gzip").read_bytes()) == CODES
    assert gzip.decompress((tmp_path / "empty.bin.gzip").read_bytes()) == b""
    assert (tmp_path / "tool.wasm.gzip").stat().st_size < len(CODES) / 10


def test_packed_bytes_depend_on_the_content_alone(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(CODES)
    pack_files(tmp_path)
    assert file_sha256(tmp_path / "a.bin.gzip") == "13162e30e9cdd4923b9744739dedc49c9867bb284950f9624c42f118b2252d77"
