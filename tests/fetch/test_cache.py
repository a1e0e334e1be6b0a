import contextlib
import hashlib
import multiprocessing
import os
import random
import signal
import threading
import time
from pathlib import Path

import pytest

from fieldguide.errors import PhotoError
from fieldguide.fetch.cache import BASE_BYTES, BLOCK_BYTES, LINE_BYTES, PhotoCache, only_writer, open_cache
from tests.photo_server import photo_bytes

SLOT = BLOCK_BYTES + LINE_BYTES
"""What a photo of less than a block takes."""


def room(num_photos: int) -> int:
    """A bound for so many small photos."""
    return BASE_BYTES + num_photos * SLOT


def store(cache: PhotoCache, *names: str) -> None:
    for name in names:
        content = photo_bytes(name)
        cache.put(hashlib.sha256(content).hexdigest(), content)


def look_up(cache: PhotoCache, name: str) -> bool:
    content = photo_bytes(name)
    found = cache.get(hashlib.sha256(content).hexdigest())
    assert found in (None, content)
    return found is not None


def taken(folder: Path) -> int:
    """Bytes on disk at one moment, of everything that the cache has there."""
    with only_writer(folder):
        found = []
        for file in (folder, *folder.iterdir()):
            # The index's journal comes and goes without the lock.
            with contextlib.suppress(FileNotFoundError):
                found.append(file.stat().st_blocks * 512)
        return sum(found)


def test_photos_come_back(tmp_path: Path) -> None:
    with open_cache(tmp_path / "cache", room(10)) as cache:
        store(cache, "a", "b", "a")
        assert look_up(cache, "a")
        assert not look_up(cache, "c")
    with open_cache(tmp_path / "cache", room(10)) as cache:
        assert look_up(cache, "b")


def test_what_was_used_longest_ago_goes_first(tmp_path: Path) -> None:
    with open_cache(tmp_path, room(3)) as cache:
        store(cache, "a", "b", "c")
        assert look_up(cache, "a")
        store(cache, "d")
        assert [name for name in "abcd" if look_up(cache, name)] == ["a", "c", "d"]


def test_a_narrower_bound_is_kept_at_once(tmp_path: Path) -> None:
    with open_cache(tmp_path, room(9)) as cache:
        store(cache, *"abcdefghi")
        assert all(look_up(cache, name) for name in "abcdefghi")
    with open_cache(tmp_path, room(2)) as cache:
        assert taken(tmp_path) <= room(2)
        assert [name for name in "abcdefghi" if look_up(cache, name)] == ["h", "i"]


def test_a_photo_larger_than_all_is_not_kept(tmp_path: Path) -> None:
    with open_cache(tmp_path, room(1)) as cache:
        store(cache, "a")
        content = bytes(BLOCK_BYTES + 1)
        cache.put(hashlib.sha256(content).hexdigest(), content)
        assert look_up(cache, "a")


def test_damaged_and_deleted_photos_are_no_photos(tmp_path: Path) -> None:
    with open_cache(tmp_path, room(3)) as cache:
        store(cache, "a", "b")
        damaged, deleted = (tmp_path / digest for digest in (hashlib.sha256(photo_bytes(n)).hexdigest() for n in "ab"))
        damaged.write_bytes(b"damaged")
        deleted.unlink()
        assert not look_up(cache, "a")
        assert not look_up(cache, "b")
        store(cache, "a", "b")
        assert look_up(cache, "a")
        assert look_up(cache, "b")


def test_a_broken_index_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "index.sqlite").write_bytes(b"no database at all" * 100)
    complaint = r"index.sqlite: file is not a database; the cache can be deleted"
    with pytest.raises(PhotoError, match=complaint), open_cache(tmp_path, room(1)):
        pass


def work(folder: Path, seed: int, num_turns: int | None) -> None:
    """Store and look up photos at random, forever if `num_turns` is None."""
    chance = random.Random(seed)
    with open_cache(folder, room(8)) as cache:
        while num_turns is None or num_turns > 0:
            name = str(chance.randrange(30))
            if not look_up(cache, name):
                store(cache, name)
            num_turns = num_turns if num_turns is None else num_turns - 1


def test_many_threads_share_one_cache(tmp_path: Path) -> None:
    most = 0
    with open_cache(tmp_path, room(8)) as cache:

        def turn(seed: int) -> None:
            chance = random.Random(seed)
            for _ in range(100):
                name = str(chance.randrange(30))
                if not look_up(cache, name):
                    store(cache, name)

        threads = [threading.Thread(target=turn, args=(seed,)) for seed in range(4)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            most = max(most, taken(tmp_path))
    assert 0 < most <= room(8)


def test_processes_killed_at_any_moment_never_exceed_the_bound(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    most = 0
    for seed in range(6):
        processes = [context.Process(target=work, args=(tmp_path, 3 * seed + turn, None)) for turn in range(2)]
        for process in processes:
            process.start()
        ends = time.monotonic() + random.uniform(0.05, 0.4)
        while time.monotonic() < ends:
            most = max(most, taken(tmp_path))
        for process in processes:
            assert process.pid
            os.kill(process.pid, signal.SIGKILL)
            process.join()
        assert taken(tmp_path) <= room(8)
    assert 0 < most <= room(8)
    work(tmp_path, 99, 100)
    assert taken(tmp_path) <= room(8)
