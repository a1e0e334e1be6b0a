"""Squares in shards: the right pixels, the right JSON, the same bytes for any number of workers, whole after a kill."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import webdataset
from PIL import Image

from fieldguide.catalogue.taxonomy import Taxonomy
from fieldguide.engine import EngineParams
from fieldguide.files import file_sha256
from fieldguide.images.decode import EXIF_ORIENTATION
from fieldguide.images.encode import ImageFormat, Subsampling
from fieldguide.images.geometry import Fill, Method
from fieldguide.records.manifest import SquareManifest
from fieldguide.records.params import ResizeParams
from fieldguide.records.texts import Members
from fieldguide.tar import read_samples
from stages.resize import resize
from tests.images.pictures import blotches, encode
from tests.stages.conftest import WriteFetch

PARAMS = ResizeParams(
    size=48,
    method=Method.PAD,
    bbox_margin=0.0,
    bbox_fallback=Method.CROP,
    upscale=True,
    pad_fill=Fill.COLOR,
    pad_color=(255, 255, 255),
    format=ImageFormat.JPEG,
    quality=92,
    subsampling=Subsampling.QUARTER,
    members=Members.PLAIN,
    photos_per_shard=4,
    engine=EngineParams(backend="loky", workers=1),
)
BOXES = {0: [450, 0, 600, 200, 600, 800], 1: [], 2: [10, 10, 42, 42], 6: [900, 900, 910, 910]}
"""By photo; the first is 600 x 800 px once it is upright, the others 64 x 64."""

READS_WITHOUT_CLOSING = pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
"""As webdataset does."""


@pytest.fixture
def folders(write_fetch: WriteFetch, tmp_path: Path) -> dict[str, Path]:
    """Nine photos, six of them for training; the first large, lying on its side."""
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = 6
    photos = [encode(blotches(0, 800, 600), exif=exif), *(encode(blotches(seed)) for seed in range(1, 9))]
    out = tmp_path / "split"
    Taxonomy(
        ranks=["species", "genus"],
        classes={"species": ["other", "Puma concolor"], "genus": ["other", "Puma"]},
        parents={"species": {"Puma concolor": {"genus": "Puma"}}},
        merged_into_other={},
        vernacular={"Puma concolor": "cougar"},
        regions={},
    ).write(out / "taxonomy.json")
    pl.DataFrame(
        {
            "photo_id": [f"{number:016x}" for number in range(9)],
            "split": ["train"] * 6 + ["val"] * 2 + ["test"],
            "region": ["EU"] * 9,
            "label": ["Puma concolor"] * 8 + ["other"],
            "species": ["Puma concolor"] * 8 + ["other"],
            "genus": ["Puma"] * 8 + ["other"],
        }
    ).write_parquet(out / "split.parquet")
    fetched = write_fetch([(photo, {"box": BOXES.get(number)}) for number, photo in enumerate(photos)])
    return {"fetch": fetched, "split": out}


def digests(folder: Path) -> dict[str, str]:
    return {path.name: file_sha256(path) for path in sorted(folder.iterdir())}


def changed(**changes: Any) -> ResizeParams:
    return PARAMS.model_copy(update=changes)


def test_resize(folders: dict[str, Path], tmp_path: Path) -> None:
    metrics = resize(PARAMS, **folders, out=tmp_path / "out")
    assert metrics.keys() == {"num_photos", "num_shards", "megabytes"}
    assert (metrics["num_photos"], metrics["num_shards"]) == (9, 4)
    tars = {"train-00000.tar": 4, "train-00001.tar": 2, "val-00000.tar": 2, "test-00000.tar": 1}
    assert set(digests(tmp_path / "out")) == {*tars, "manifest.json"}
    manifest = SquareManifest.read(tmp_path / "out")
    assert (manifest.style.size, manifest.style.method, manifest.num_photos) == (48, Method.PAD, tars)
    key, sample = next(read_samples(tmp_path / "out" / "train-00000.tar"))
    facts = json.loads(sample["json"])
    assert (key, facts["photo_id"]) == (f"{0:016x}", f"{0:016x}")
    assert facts["labels"] == {"species": "Puma concolor", "genus": "Puma"}
    assert (facts["source_size"], facts["box"]) == ([600, 800], [6, 0, 42, 48])
    assert "subject" not in facts
    pixels = np.asarray(Image.open(io.BytesIO(sample["jpg"])))
    assert pixels.shape == (48, 48, 3)
    assert pixels[:, :4].mean() > 250
    upright = blotches(0, 800, 600).transpose(Image.Transpose.ROTATE_270).resize((36, 48), Image.Resampling.BICUBIC)
    assert np.abs(pixels[:, 8:40].astype(int) - np.asarray(upright)[:, 2:34]).mean() < 12  # JPEG; a wrong turn gives 70


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"format": ImageFormat.WEBP},
        {"format": ImageFormat.PNG, "method": Method.BBOX, "members": Members.TREEOFLIFE},
    ],
    ids=["as usual", "WebP", "all else"],
)
def test_any_number_of_workers_gives_the_same_bytes(
    folders: dict[str, Path], tmp_path: Path, changes: dict[str, Any]
) -> None:
    resize(changed(**changes), **folders, out=tmp_path / "one")
    resize(changed(**changes, engine=EngineParams(backend="loky", workers=2)), **folders, out=tmp_path / "two")
    assert digests(tmp_path / "one") == digests(tmp_path / "two")


@pytest.mark.parametrize("method", list(Method))
@pytest.mark.parametrize("size", [48, 299])
def test_every_method_fills_the_square(folders: dict[str, Path], tmp_path: Path, method: Method, size: int) -> None:
    resize(changed(method=method, size=size), **folders, out=tmp_path / "out")
    for _, sample in read_samples(tmp_path / "out" / "train-00001.tar"):
        assert Image.open(io.BytesIO(sample["jpg"])).size == (size, size)


def test_photos_are_cut_to_their_boxes(folders: dict[str, Path], tmp_path: Path) -> None:
    metrics = resize(changed(method=Method.BBOX, format=ImageFormat.PNG), **folders, out=tmp_path / "out")
    assert (metrics["num_boxed"], metrics["num_bad_boxes"]) == (2, 2)
    facts, pixels = {}, {}
    for tar in sorted((tmp_path / "out").glob("*.tar")):
        for key, sample in read_samples(tar):
            number = int(key, 16)
            facts[number] = json.loads(sample["json"])
            pixels[number] = np.asarray(Image.open(io.BytesIO(sample["png"])), np.int16)
    assert {number: each["subject"] for number, each in facts.items() if each["subject"]} == {
        0: [450, 0, 600, 200],
        2: [10, 10, 42, 42],
    }
    assert all(each["box"] == [0, 0, 48, 48] for each in facts.values())
    # The square around the box, moved into the photo, from the photo turned upright.
    turned = Image.open(io.BytesIO(encode(blotches(0, 800, 600)))).transpose(Image.Transpose.ROTATE_270)
    expected = turned.resize((48, 48), Image.Resampling.BICUBIC, box=(400, 0, 600, 200))
    assert np.abs(pixels[0] - np.asarray(expected)).mean() < 1.5
    decoded = Image.open(io.BytesIO(encode(blotches(2))))
    assert (pixels[2] == decoded.resize((48, 48), Image.Resampling.BICUBIC, box=(10, 10, 42, 42))).all()


NAMES = {
    "scientific_name.txt": "Puma concolor",
    "taxonomic_name.txt": "Puma concolor",
    "common_name.txt": "cougar",
    "sci.txt": "a photo of Puma concolor.",
    "com.txt": "a photo of cougar.",
    "taxon.txt": "a photo of Puma concolor.",
    "taxonTag.txt": "a photo of genus Puma species concolor.",
    "sci_com.txt": "a photo of Puma concolor with common name cougar.",
    "taxon_com.txt": "a photo of Puma concolor with common name cougar.",
    "taxonTag_com.txt": "a photo of genus Puma species concolor with common name cougar.",
}


@READS_WITHOUT_CLOSING
def test_webdataset_reads_the_texts(folders: dict[str, Path], tmp_path: Path) -> None:
    """As training on the released set reads it, which writes endings in lower case."""
    resize(changed(members=Members.TREEOFLIFE), **folders, out=tmp_path / "out")
    tars = [str(path) for path in sorted((tmp_path / "out").glob("*.tar"))]
    dataset = webdataset.WebDataset(tars, shardshuffle=False).decode("pil")
    samples = list(dataset.to_tuple("jpg", "json", *map(str.lower, NAMES)))
    assert len(samples) == 9
    for image, facts, *texts in samples:
        assert (image.size, image.mode) == ((48, 48), "RGB")
        if facts["labels"]["species"] != "other":
            assert dict(zip(NAMES, texts, strict=True)) == NAMES
        else:
            assert texts[3] == "a photo of an organism."
    members = {name for tar in tars for _, sample in read_samples(Path(tar)) for name in sample}
    assert members == {"jpg", "json", *NAMES}


@READS_WITHOUT_CLOSING
@pytest.mark.parametrize("each", ImageFormat)
def test_webdataset_decodes_every_format(folders: dict[str, Path], tmp_path: Path, each: ImageFormat) -> None:
    resize(changed(format=each), **folders, out=tmp_path / "out")
    tar = str(tmp_path / "out" / "test-00000.tar")
    ((image, facts),) = webdataset.WebDataset(tar, shardshuffle=False).decode("pil").to_tuple(each.ending, "json")
    assert (image.size, facts["photo_id"]) == ((48, 48), f"{8:016x}")


def test_what_a_killed_run_left_is_cleared(folders: dict[str, Path], tmp_path: Path) -> None:
    resize(PARAMS, **folders, out=tmp_path / "clean")
    half = tmp_path / "out"
    half.mkdir()
    (half / ".train-00000.tar.4242.partial").write_bytes(b"half")
    (half / "train-00001.tar").write_bytes((tmp_path / "clean" / "train-00001.tar").read_bytes())
    resize(PARAMS, **folders, out=half)
    assert digests(half) == digests(tmp_path / "clean")
