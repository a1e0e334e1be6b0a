"""Records of every kind as TensorFlow sees them by the manifest alone, against Pillow and scikit-image."""

import io
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image
from skimage.color import rgb2lab

from fieldguide.engine import run_isolated
from fieldguide.errors import RecordError
from fieldguide.records.fuse import fuse_records
from fieldguide.records.kinds import Form
from fieldguide.records.manifest import LABELS, Manifest, PixelStyle
from fieldguide.records.reader import RecordSet
from fieldguide.records.writer import write_records
from tests.records.making import ENGINE, SIDE, TAXONOMY
from tests.records.tensorflow_side import read_by_manifest

MEAN, STD = (0.4, 0.5, 0.6), (0.2, 0.25, 0.3)
FORMS = {
    "gzip": Form(compression="gzip"),
    "zlib": Form(compression="zlib"),
    "uint8": Form("raw", PixelStyle(dtype="uint8", mean=MEAN, std=STD)),
    "float32": Form("raw", PixelStyle(dtype="float32", mean=MEAN, std=STD)),
    "lab": Form("lab"),
    "lab gzip": Form("lab", compression="gzip"),
}
DIM = 7


def embeddings(num_rows: int) -> np.ndarray:
    """Of a split with so many records: float16 [num_rows, DIM]."""
    return np.random.default_rng(num_rows).normal(size=(num_rows, DIM)).astype(np.float16)


@pytest.fixture(scope="module")
def folders(resized: Path, finished: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    made = {"image": finished}
    for name, form in FORMS.items():
        made[name] = tmp_path_factory.mktemp("kind")
        write_records(resized, TAXONOMY, made[name], records_per_shard=16, salt="salt", engine=ENGINE, form=form)
    made["fused"] = tmp_path_factory.mktemp("kind")
    fuse_records(finished, made["fused"], write_embeddings(made["fused"]), ENGINE)
    return made


def write_embeddings(folder: Path) -> dict[str, Path]:
    paths = {}
    for split, count in {"train": 40, "val": 7, "test": 5}.items():
        paths[split] = folder / f"{split}.npy"
        np.save(paths[split], embeddings(count))
    return paths


@pytest.fixture(scope="module")
def seen(folders: dict[str, Path]) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """By folder and split the records as TensorFlow reads them."""
    return run_isolated(read_by_manifest, folders)


@pytest.fixture(scope="module")
def photos(finished: Path) -> dict[str, dict[str, np.ndarray]]:
    """By split and photo id the pixels, in the order of the records."""
    return {
        split: {
            record.photo_id: np.asarray(Image.open(io.BytesIO(record.image)).convert("RGB"))
            for record in RecordSet.open(finished, split)
        }
        for split in ("train", "val", "test")
    }


def test_all_kinds_have_the_same_order_and_labels(folders, seen, photos):
    labels = pl.read_parquet(folders["image"] / LABELS)
    for folder, by_split in seen.items():
        assert pl.read_parquet(folders[folder] / LABELS).equals(labels)
        for split, records in by_split.items():
            names = [record.get("image/filename", record.get("image_name")).decode() for record in records]
            assert names == [f"{photo_id}.jpg" for photo_id in photos[split]], folder


@pytest.mark.parametrize("compression", ["gzip", "zlib"])
def test_compression_changes_no_record(seen, compression: str):
    for split, records in seen["image"].items():
        for one, other in zip(records, seen[compression][split], strict=True):
            assert one.keys() == other.keys()
            assert all(np.array_equal(one[name], other[name]) for name in one)


def test_raw_records_hold_the_pixels(folders, seen, photos):
    assert Manifest.read(folders["uint8"]).pixels.dtype == "uint8"
    for split in photos:
        rows = zip(photos[split].values(), seen["uint8"][split], seen["float32"][split], strict=True)
        for pixels, uint8, float32 in rows:
            found = np.frombuffer(uint8["image/raw"], np.uint8).reshape(SIDE, SIDE, 3)
            np.testing.assert_array_equal(found, pixels)
            normalised = (pixels / 255 - np.array(MEAN)) / np.array(STD)
            np.testing.assert_allclose(float32["image/raw"], normalised, rtol=0, atol=1e-6)
            assert "image/encoded" not in uint8
            assert uint8["image/height"] == SIDE


@pytest.mark.parametrize("folder", ["lab", "lab gzip", "fused"])
def test_lab_records_are_those_of_skimage(seen, photos, folder: str):
    for split in photos:
        for pixels, record in zip(photos[split].values(), seen[folder][split], strict=True):
            lab = rgb2lab(pixels)
            np.testing.assert_allclose((record["image_l"] + 1) * 50, lab[..., :1], rtol=0, atol=1e-4)
            np.testing.assert_allclose(record["image_ab"] * 127, lab[..., 1:], rtol=0, atol=1e-4)
            assert -1 <= record["image_l"].min() <= record["image_l"].max() <= 1


def test_lab_records_hold_nothing_else(folders):
    assert list(Manifest.read(folders["lab"]).features) == ["image_name", "image_l", "image_ab"]


def test_fused_records_are_image_records_with_more(folders, seen):
    for split, records in seen["image"].items():
        rows = embeddings(len(records)).astype(np.float32)
        for image, fused, row in zip(records, seen["fused"][split], rows, strict=True):
            assert all(np.array_equal(image[name], fused[name]) for name in image)
            np.testing.assert_array_equal(fused["image_embedding"], row)
    ours, images = (RecordSet.open(folders[name], "val") for name in ("fused", "image"))
    assert list(ours) == list(images)


def test_colourisation_finds_its_files_by_their_names(folders):
    for folder in ("lab", "fused"):
        names = {
            split: [shard.file for shard in entry.shards]
            for split, entry in Manifest.read(folders[folder]).splits.items()
        }
        assert names == {
            "train": ["lab_images_0.tfrecord", "lab_images_1.tfrecord", "lab_images_2.tfrecord"],
            "val": ["val_lab_images_0.tfrecord"],
            "test": ["test_lab_images_0.tfrecord"],
        }


@pytest.mark.parametrize(
    ("folder", "message"),
    [
        ("gzip", "a shard compressed with gzip is read whole and has no index; expected tfrecord.compression: none"),
        ("uint8", "holds records of kind raw; expected tfrecord.kind: image"),
        ("lab", "holds records of kind lab; expected tfrecord.kind: image"),
    ],
)
def test_what_cannot_be_read_one_by_one_is_refused(folders, folder: str, message: str):
    with pytest.raises(RecordError, match=message):
        RecordSet.open(folders[folder], "train")


def test_the_same_bytes_again(folders, resized: Path, finished: Path, tmp_path: Path):
    again = {name: tmp_path / name for name in ("lab gzip", "fused")}
    write_records(
        resized, TAXONOMY, again["lab gzip"], records_per_shard=16, salt="salt", engine=ENGINE,
        form=FORMS["lab gzip"], shuffle_memory_mb=1,
    )  # fmt: skip
    again["fused"].mkdir()
    fuse_records(finished, again["fused"], write_embeddings(again["fused"]), ENGINE.model_copy(update={"workers": 2}))
    for name, folder in again.items():
        files = sorted(path.name for path in folders[name].iterdir())
        assert sorted(path.name for path in folder.iterdir()) == files
        assert all((folder / file).read_bytes() == (folders[name] / file).read_bytes() for file in files)


def test_embeddings_of_other_records_are_refused(finished: Path, tmp_path: Path):
    paths = write_embeddings(tmp_path)
    np.save(paths["val"], embeddings(8))
    with pytest.raises(RecordError, match=r"val\.npy is \[8, 7\]; expected 7 rows, one a record"):
        fuse_records(finished, tmp_path / "fused", paths, ENGINE)
    assert not (tmp_path / "fused" / "manifest.json").exists()


@pytest.mark.parametrize(("split", "kind"), list(product(["train", "val"], ["image", "lab", "fused"])))
def test_shard_names(split: str, kind):
    names = {
        ("train", "image"): "train-00003-of-00012.tfrecord",
        ("val", "image"): "val-00003-of-00012.tfrecord",
        ("train", "lab"): "lab_images_3.tfrecord",
        ("val", "lab"): "val_lab_images_3.tfrecord",
    }
    assert Form(kind).shard_name(split, 3, 12) == names[split, kind.replace("fused", "lab")]
