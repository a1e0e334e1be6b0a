"""The teachers' cache stays within its size, and takes nothing from a run in progress."""

import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fieldguide.digests import seal
from fieldguide.errors import ParamsError
from fieldguide.learn.answer_cache import FOLDER, open_answer_cache

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    return tmp_path / FOLDER


def leave(teacher: str, names: str, age_s: float) -> Path:
    """Pieces of 100 bytes each that a run used so long ago; their folder."""
    with open_answer_cache(1) as cache:
        folder = cache.use_folder({"teacher": teacher})
        for name in names:
            piece = folder / f"{name}.npy"
            piece.write_bytes(b"x" * 100)
            seal(piece)
            os.utime(piece, (time.time() - age_s,) * 2)
    return folder


def pieces(root: Path) -> set[str]:
    sealed = {path.name.removesuffix(".npy.xxh3") for path in root.glob("*/*.xxh3")}
    assert sealed == {path.stem for path in root.glob("*/*.npy")}
    return sealed


@contextmanager
def another_run(teacher: str) -> Iterator[subprocess.Popen[str]]:
    """A process that uses a teacher's folder."""
    code = (
        "import sys; from fieldguide.learn.answer_cache import open_answer_cache\n"
        "with open_answer_cache(1) as cache:\n"
        " folder = cache.use_folder({'teacher': sys.argv[1]})\n"
        " with cache.write_alone(folder): print('held', flush=True); sys.stdin.readline()\n"
        " print('written', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, teacher],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_teacher_has_the_same_folder_again_and_another_one_another():
    assert leave("a", "1", 0) == leave("a", "2", 0) != leave("b", "3", 0)


def test_what_was_used_longest_ago_goes_first(root: Path):
    folder = leave("a", "12", 100)
    leave("b", "3", 50)
    leave("c", "4", 10)
    with open_answer_cache(350 / 1e9) as cache:
        cache.use_folder({"teacher": "a"})
        # One of its own is used again, and one is new.
        cache.make_room({folder / "2.npy": 100, folder / "5.npy": 150})
    assert pieces(root) == {"2", "4"}
    assert time.time() - (folder / "2.npy").stat().st_mtime < 50


def test_nothing_goes_while_there_is_room(root: Path):
    leave("a", "12", 50)
    with open_answer_cache(300 / 1e9) as cache:
        cache.make_room({cache.use_folder({"teacher": "b"}) / "3.npy": 100})
    assert pieces(root) == {"1", "2"}


def test_a_run_that_alone_needs_more_is_refused(root: Path):
    leave("a", "1", 50)
    with open_answer_cache(0.5) as cache:
        folder = cache.use_folder({"teacher": "b"})
        with pytest.raises(ParamsError) as error:
            cache.make_room({folder / f"{view}.npy": 300_000_000 for view in range(2)})
    assert str(error.value) == (
        "distill_student.cache_gb is 0.5, but the teachers' answers to all views take 0.6 GB; expected at least that, "
        "fewer views, or cache.kind topk"
    )
    assert pieces(root) == {"1"}


def test_nothing_is_taken_from_a_run_in_progress(root: Path, caplog: pytest.LogCaptureFixture):
    leave("a", "12", 100)
    leave("b", "3", 50)
    with another_run("a"), open_answer_cache(150 / 1e9) as cache:
        cache.make_room({cache.use_folder({"teacher": "c"}) / "4.npy": 100})
        assert pieces(root) == {"1", "2"}
        assert "past cache_gb" in caplog.text
    # The other was killed, and only its mark is left.
    with open_answer_cache(150 / 1e9) as cache:
        cache.make_room({cache.use_folder({"teacher": "c"}) / "4.npy": 100})
    assert pieces(root) == set()


def test_two_runs_write_in_turns_and_read_side_by_side(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO)
    folder = leave("a", "1", 0)
    with another_run("a") as other, open_answer_cache(1) as cache:
        assert cache.use_folder({"teacher": "a"}) == folder
        assert (folder / "1.npy").read_bytes()
        assert other.stdin
        other.stdin.write("\n")
        other.stdin.flush()
        with cache.write_alone(folder):
            assert other.stdout
            assert other.stdout.readline() == "written\n"


def test_a_killed_writer_leaves_nothing_half_written():
    folder = leave("a", "1", 0)
    (folder / ".2.npy.partial").write_bytes(b"half")
    with open_answer_cache(1) as cache, cache.write_alone(cache.use_folder({"teacher": "a"})):
        assert sorted(path.name for path in folder.glob("*.np*")) == ["1.npy", "1.npy.xxh3"]
        assert not list(folder.glob(".*.partial"))
