"""A small project as the stages leave it: every kind of file that verify knows, with the digests that vouch for it."""

import random
import shutil
from pathlib import Path

import numpy as np
import onnx
import polars as pl
from safetensors.numpy import save_file

from fieldguide.digests import write_digests
from fieldguide.engine import run_isolated
from fieldguide.export.bundle import DIGEST_PLACE, write_file_list
from fieldguide.files import write_json, write_table
from fieldguide.records.manifest import LABELS
from fieldguide.records.writer import write_records
from fieldguide.tar import TarShardWriter
from tests.records.making import ENGINE, TAXONOMY, make_photo, make_resized

COUNTS = {"train": 40, "val": 7, "test": 5}


def make_project(root: Path) -> Path:
    """Fill `root` with interim/, models/ and reports/; return it."""
    interim, models = root / "interim", root / "models"
    _make_fetch(interim / "fetch")
    _make_tables(interim)
    resized = make_resized(interim / "resize", COUNTS)
    (resized / "taxonomy.json").unlink()
    records = interim / "tfrecord"
    run_isolated(write_records, resized, TAXONOMY, records, records_per_shard=16, salt="s", engine=ENGINE)
    _make_embeddings(records, interim / "embed")
    _make_models(models)
    _make_bundle(models / "tfjs")
    (root / "reports/split").mkdir(parents=True)
    (root / "reports/split/classes.csv").write_text("class,train\nAster alpinus,7\n")
    stages = {
        "interim/fetch": "fetch",
        "interim/clean": "clean",
        "interim/split": "split",
        "interim/resize": "resize",
        "interim/tfrecord": "tfrecord",
        "interim/embed": "embed",
        "models/teachers/global": "train-teacher@global",
        "models/student": "distill-student",
        "models/export": "export-tfjs",
        "models/tfjs": "export-tfjs",
        "reports/split": "split",
    }
    for folder, stage in stages.items():
        write_digests(root / folder, stage)
    (models / "README.md").write_text("of no stage\n")
    return root


def flip(file: Path, bit: int) -> None:
    """Turn one bit of a file, as a disk does it: in place."""
    with file.open("r+b") as stream:
        stream.seek(bit // 8)
        (byte,) = stream.read(1)
        stream.seek(bit // 8)
        stream.write(bytes([byte ^ 1 << bit % 8]))


def flip_any(file: Path, draw: random.Random) -> int:
    """Turn a random bit of a file and say which."""
    bit = draw.randrange(8 * file.stat().st_size)
    flip(file, bit)
    return bit


def _make_fetch(out: Path) -> None:
    with TarShardWriter(out / "shards/originals-00000.tar") as tar:
        for number in range(20):
            photo_id, image, _ = make_photo(number)
            tar.add(f"{photo_id}.jpg", image)
        tar.add("0123456789abcdef.jpg", b"<html>sorry</html>")
    write_table(pl.DataFrame({"url": ["a", "b"], "offset": [512, 4096]}), out / "ledger/originals-00000.parquet")
    write_table(pl.DataFrame({"photo_id": ["0", "1"], "status": ["ok", "missing"]}), out / "catalogue.parquet")


def _make_tables(interim: Path) -> None:
    write_table(pl.DataFrame({"photo_id": ["0"], "verdict": ["keep"]}), interim / "clean/verdicts.parquet")
    write_table(pl.DataFrame({"photo_id": ["0"], "split": ["train"]}), interim / "split/split.parquet")
    TAXONOMY.write(interim / "split/taxonomy.json")


def _make_embeddings(records: Path, out: Path) -> None:
    out.mkdir()
    labels = pl.read_parquet(records / LABELS)
    for split in COUNTS:
        ids = labels.filter(pl.col("split") == split)["photo_id"]
        np.save(out / f"{split}.npy", np.random.default_rng(0).normal(size=(len(ids), 8)).astype(np.float16))
        (out / f"{split}.ids.txt").write_text("".join(f"{photo_id}\n" for photo_id in ids))
    write_json(out / "backbone.json", {"dim": 8})


def _make_models(models: Path) -> None:
    weights = {"head.weight": np.random.default_rng(0).normal(size=(5, 8)).astype(np.float32)}
    for folder in (models / "teachers/global", models / "student"):
        folder.mkdir(parents=True)
        save_file(weights, folder / "model.safetensors")
        write_json(folder / "model.json", {"architecture": "x"})
    node = onnx.helper.make_node("Identity", ["image"], ["logits"])
    values = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1]) for name in ("image", "logits")]
    (models / "export").mkdir()
    onnx.save(
        onnx.helper.make_model(onnx.helper.make_graph([node], "g", values[:1], values[1:])), models / "export/s.onnx"
    )


def _make_bundle(bundle: Path) -> None:
    (bundle / "examples").mkdir(parents=True)
    (bundle / "examples/a.jpg").write_bytes(make_photo(1)[1])
    write_json(bundle / "model.json", {"format": "graph-model"})
    (bundle / "group1-shard1of1.bin").write_bytes(np.random.default_rng(0).bytes(4000))
    (bundle / "index.html").write_text("<!doctype html><title>guide</title>\n")
    (bundle / "service_worker.js").write_text(f"const version = '{DIGEST_PLACE}';\n")
    write_file_list(bundle)


def copy_project(source: Path, target: Path) -> Path:
    """A copy to damage."""
    return Path(shutil.copytree(source, target, symlinks=True))
