"""Squares in shards: the right pixels, the right JSON, the same bytes for any number of workers, whole after a kill."""

import io
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from fieldguide.catalogue.taxonomy import Taxonomy
from fieldguide.engine import EngineParams
from fieldguide.files import file_sha256
from fieldguide.images.decode import EXIF_ORIENTATION
from fieldguide.images.geometry import Method
from fieldguide.records.manifest import SquareManifest, SquareStyle
from fieldguide.records.params import ResizeParams
from fieldguide.records.squares import encode_square
from fieldguide.tar import read_samples
from stages.resize import resize
from tests.images.forged import SECRET, talkative
from tests.images.pictures import blotches, encode
from tests.stages.conftest import WriteFetch

PARAMS = ResizeParams(
    size=48,
    method=Method.PAD,
    pad_color=(255, 255, 255),
    quality=92,
    photos_per_shard=4,
    engine=EngineParams(backend="loky", workers=1),
)


@pytest.fixture
def folders(write_fetch: WriteFetch, tmp_path: Path) -> dict[str, Path]:
    """Nine photos, six of them for training; the first large, lying on its side."""
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = 6
    photos = [encode(blotches(0, 800, 600), exif=exif), *(encode(blotches(seed)) for seed in range(1, 9))]
    out = tmp_path / "split"
    Taxonomy(
        ranks=["species"],
        classes={"species": ["other", "a"]},
        parents={},
        merged_into_other={},
        vernacular={},
        regions={},
    ).write(out / "taxonomy.json")
    pl.DataFrame(
        {
            "photo_id": [f"{number:016x}" for number in range(9)],
            "split": ["train"] * 6 + ["val"] * 2 + ["test"],
            "region": ["EU"] * 9,
            "species": ["a"] * 9,
        }
    ).write_parquet(out / "split.parquet")
    return {"fetch": write_fetch([(photo, {}) for photo in photos]), "split": out}


def digests(folder: Path) -> dict[str, str]:
    return {path.name: file_sha256(path) for path in sorted(folder.iterdir())}


def test_resize(folders: dict[str, Path], tmp_path: Path) -> None:
    metrics = resize(PARAMS, **folders, out=tmp_path / "out")
    assert (metrics["num_photos"], metrics["num_shards"]) == (9, 4)
    tars = {"train-00000.tar": 4, "train-00001.tar": 2, "val-00000.tar": 2, "test-00000.tar": 1}
    assert set(digests(tmp_path / "out")) == {*tars, "manifest.json"}
    manifest = SquareManifest.read(tmp_path / "out")
    assert (manifest.style.size, manifest.style.method, manifest.num_photos) == (48, Method.PAD, tars)
    key, sample = next(read_samples(tmp_path / "out" / "train-00000.tar"))
    facts = json.loads(sample["json"])
    assert (key, facts["photo_id"]) == (f"{0:016x}", f"{0:016x}")
    assert facts["labels"] == {"species": "a"}
    assert (facts["source_size"], facts["box"]) == ([600, 800], [6, 0, 42, 48])
    pixels = np.asarray(Image.open(io.BytesIO(sample["jpg"])))
    assert pixels.shape == (48, 48, 3)
    assert pixels[:, :4].mean() > 250
    upright = blotches(0, 800, 600).transpose(Image.Transpose.ROTATE_270).resize((36, 48), Image.Resampling.BICUBIC)
    assert np.abs(pixels[:, 8:40].astype(int) - np.asarray(upright)[:, 2:34]).mean() < 12  # JPEG; a wrong turn gives 70


def test_any_number_of_workers_gives_the_same_bytes(folders: dict[str, Path], tmp_path: Path) -> None:
    two = PARAMS.model_copy(update={"engine": EngineParams(backend="loky", workers=2)})
    resize(PARAMS, **folders, out=tmp_path / "one")
    resize(two, **folders, out=tmp_path / "two")
    assert digests(tmp_path / "one") == digests(tmp_path / "two")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "TIFF"])
def test_no_words_come_along(kind: str) -> None:
    style = SquareStyle(size=48, method=Method.PAD, pad_color=(255, 255, 255), quality=92)
    for size in ((48, 48), (200, 100)):
        assert SECRET not in encode_square(talkative(kind, blotches(1, *size)), style)[0]


@pytest.mark.parametrize("method", list(Method))
def test_every_method_fills_the_square(folders: dict[str, Path], tmp_path: Path, method: Method) -> None:
    resize(PARAMS.model_copy(update={"method": method}), **folders, out=tmp_path / "out")
    for _, sample in read_samples(tmp_path / "out" / "train-00001.tar"):
        assert Image.open(io.BytesIO(sample["jpg"])).size == (48, 48)


def test_what_a_killed_run_left_is_cleared(folders: dict[str, Path], tmp_path: Path) -> None:
    resize(PARAMS, **folders, out=tmp_path / "clean")
    half = tmp_path / "out"
    half.mkdir()
    (half / ".train-00000.tar.4242.partial").write_bytes(b"half")
    (half / "train-00001.tar").write_bytes((tmp_path / "clean" / "train-00001.tar").read_bytes())
    resize(PARAMS, **folders, out=half)
    assert digests(half) == digests(tmp_path / "clean")
