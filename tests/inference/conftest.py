"""A small exported model, and photos to ask it about."""

from pathlib import Path

import pytest

from tests.export.exporting import export_once
from tests.images.pictures import blotches, encode


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder."""
    return export_once(tmp_path_factory.getbasetemp() / "export")[0]["out"]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of eight photos in two folders, one of them turned, one of another kind, and what is none."""
    folder = tmp_path / "photos"
    for number in range(6):
        path = folder / ("Aster alpinus" if number % 2 else "unknown things") / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode(blotches(number, 300, 200)))
    (folder / "drawing.PNG").write_bytes(encode(blotches(6, 20, 30), "PNG"))
    (folder / "large.webp").write_bytes(encode(blotches(7, 4000, 3000), "WEBP"))
    (folder / "cut.jpg").write_bytes(encode(blotches(8, 300, 200))[:-2000])
    (folder / "page.jpg").write_bytes(b"<html>sorry</html>")
    (folder / "notes.txt").write_text("no photo")
    return folder
