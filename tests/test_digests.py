"""What a stage wrote is known again byte for byte, and what is not is named."""

import os
import random
from pathlib import Path

import pytest

from fieldguide.digests import DIGESTS, check_folder, checked, discard_damaged, find_damage, write_digests
from fieldguide.errors import RecordError

FILES = {"a.parquet": b"table" * 100, "below/b.npy": b"\0" * 3000, "empty.csv": b""}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    out = tmp_path / "out"
    for name, content in FILES.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_bytes(content)
    (out / ".work").mkdir()
    (out / ".work" / "draft").write_bytes(b"nobody's")
    (out / "originals-00000.tar").write_bytes(b"checked by its reader")
    write_digests(out, "train-teacher@global")
    return out


def flip(path: Path, bit: int) -> None:
    """As a disk does it: neither size nor time change."""
    content, status = bytearray(path.read_bytes()), path.stat()
    content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_equal_folders_have_equal_digests_and_pass(folder: Path):
    before = (folder / DIGESTS).read_bytes()
    assert [name for name in FILES if f'"{name}"' in before.decode()] == list(FILES)
    assert not any(name in before.decode() for name in ("draft", ".tar"))
    write_digests(folder, "train-teacher@global")
    assert (folder / DIGESTS).read_bytes() == before
    check_folder(folder)
    assert checked(folder / "below/b.npy") == folder / "below/b.npy"


@pytest.mark.parametrize("name", ["a.parquet", "below/b.npy"])
@pytest.mark.parametrize("seed", range(5))
def test_a_flipped_bit_is_named_with_its_remedy(folder: Path, name: str, seed: int):
    flip(folder / name, random.Random(seed).randrange(8 * len(FILES[name])))
    message = rf"{name} is damaged: its xxh3 is .* delete it and run `dvc repro --force train-teacher@global`"
    with pytest.raises(RecordError, match=message):
        check_folder(folder)
    with pytest.raises(RecordError, match=message):
        checked(folder / name)


def test_every_bit_of_the_digests_counts(folder: Path):
    path = folder / DIGESTS
    for bit in random.Random(0).sample(range(8 * path.stat().st_size), 200):
        flip(path, bit)
        with pytest.raises(RecordError, match=rf"out/{DIGESTS} is damaged"):
            check_folder(folder)
        flip(path, bit)
    check_folder(folder)


def test_every_damaged_file_is_found(folder: Path):
    (folder / "a.parquet").write_bytes(b"short")
    (folder / "below/b.npy").unlink()
    found = [str(error).split(": ")[0].split(";")[0] for error in find_damage(folder, missing=True)]
    assert found == [f"{folder}/a.parquet is damaged", f"{folder}/below/b.npy is missing"]
    assert len(list(find_damage(folder))) == 1


def test_a_part_of_an_output_may_be_used_and_what_has_no_digests_is_taken_as_it_is(folder: Path, tmp_path: Path):
    (folder / "a.parquet").unlink()
    (folder / "more.txt").write_text("of the user's own")
    check_folder(folder)
    assert checked(folder / "more.txt") == folder / "more.txt"
    (tmp_path / "foreign").mkdir()
    check_folder(tmp_path / "foreign")


@pytest.mark.parametrize("damaged", ["a.parquet", DIGESTS])
def test_an_output_that_is_extended_loses_what_is_damaged(folder: Path, damaged: str):
    flip(folder / damaged, 800)
    assert discard_damaged(folder) == ([folder / "a.parquet"] if damaged == "a.parquet" else [])
    assert (folder / "a.parquet").exists() == (damaged == DIGESTS)
    assert not (folder / DIGESTS).exists()
    assert discard_damaged(folder) == []
