"""Estimates of disk and memory against what there is."""

import shutil
from types import SimpleNamespace

import psutil
import pytest

from fieldguide.preflight.room import check_disk, check_memory
from tests.preflight.conftest import Write, problems


def test_what_is_free_is_compared_with_what_is_needed(write: Write, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=2e9))
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(total=8e9))
    setting = write()
    assert [finding.text for finding in check_disk(setting)] == ["1.5 GB of 2 GB that are free"]
    assert [finding.text for finding in check_memory(setting)] == ["about 3 GB of 8 GB"]
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1e9))
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(total=2e9))
    assert problems(check_disk(setting)) == [
        "1.5 GB of 1 GB that are free; fetch.max_side and fetch.store: stream need less"
    ]
    assert problems(check_memory(setting)) == ["about 3 GB of 2 GB"]


def test_a_stream_keeps_no_more_than_its_cache(write: Write, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=5e9))
    (found,) = problems(check_disk(write("fetch.store=stream", "fetch.cache_gb=5")))
    assert found.startswith("6.5 GB of 5 GB")
