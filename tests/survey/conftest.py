"""A working directory of its own, and small photographs to put into it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.images.pictures import blotches, encode

Plant = Callable[..., list[str]]


@pytest.fixture
def plant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plant:
    """Write a photo, each another one, under every name given below the working directory."""
    monkeypatch.chdir(tmp_path)

    def write(*names: str, width: int = 80, height: int = 60) -> list[str]:
        for name in names:
            path = Path(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            seed = sum(1 for each in tmp_path.rglob("*") if each.is_file())
            path.write_bytes(encode(blotches(seed, width, height), "PNG" if path.suffix == ".png" else "JPEG"))
        return list(names)

    return write
