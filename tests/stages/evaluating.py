"""What the stage evaluate judges: records, embeddings that know the species, and small untrained networks."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from fieldguide.engine import run_isolated
from fieldguide.evaluate.params import EvaluateParams
from fieldguide.learn.network import build_network, save_network
from fieldguide.learn.params import BackboneParams
from fieldguide.params import load_section
from fieldguide.records.reader import RecordSet
from fieldguide.records.writer import write_records
from stages.evaluate import evaluate
from tests.records.making import ENGINE, TAXONOMY, make_resized

BACKBONE = {
    "architecture": "test_resnet",
    "architecture_args": {},
    "image_size": 32,
    "mean": (0.5, 0.5, 0.5),
    "std": (0.5, 0.5, 0.5),
    "mask_padding": False,
    "weights": {"from": "scratch"},
}
MASKING = {
    "architecture": "vit_tiny_patch16_224",
    "architecture_args": {"img_size": 32, "patch_size": 4, "embed_dim": 12, "depth": 2, "num_heads": 2},
    "mask_padding": True,
}
PARAMS = {
    "train_teacher": {"global": {}, "regional": {}},
    "split": {"frequency": {"few_below": 11, "many_above": 200}},
    "evaluate": {
        "batch_size": 16,
        "workers": 0,
        "max_error": 0.9,
        "set_coverage": 0.9,
        "max_strange": 0.2,
        "max_prior_kb": 290,
        "ece_bins": 15,
        "neighbours": {"num": 5, "temperature": 0.07},
        "few_shot": {"shots": [1, 5], "draws": 2, "seed": 1},
        "confused_pairs": 2,
        "attention_photos": 3,
    },
}
NORTH = {"species": TAXONOMY.regions["north"], "genus": ["other", "Aster", "Linum"]}
SPLITS = ("train", "val", "test", "seen", "unseen")


def make_workspace(root: Path) -> None:
    """Write what the stage reads below `root`, and its params.yaml."""
    resized = make_resized(root / "resize", {"train": 48, "val": 18, "test": 24, "seen": 12, "unseen": 18})
    out = root / "tfrecord"
    run_isolated(write_records, resized, TAXONOMY, out, records_per_shard=64, salt="salt", engine=ENGINE)
    (root / "embed").mkdir()
    for split in SPLITS:
        records = RecordSet.open(out, split)
        # Embeddings that know the species, with some noise.
        noise = np.random.default_rng(0).normal(scale=0.05, size=(len(records), 5))
        np.save(root / "embed" / f"{split}.npy", (np.eye(5)[records.labels("species")] + noise).astype(np.float16))
        (root / "embed" / f"{split}.ids.txt").write_text("".join(f"{photo_id}\n" for photo_id in records.photo_ids))
    # Three species that nobody told the networks of, in groups of two photos.
    unseen = RecordSet.open(out, "unseen").photo_ids
    names = {
        "label": [f"Rosa {number % 3}" for number in range(18)],
        "group_id": [str(n // 6) + str(n % 3) for n in range(18)],
    }
    held_out = pl.DataFrame({"photo_id": unseen, "split": "unseen", **names})
    # Two photos of a species make an observation.
    test = RecordSet.open(out, "test")
    turn = pl.DataFrame({"photo_id": test.photo_ids, "label": test.labels("species")}).select(
        "photo_id", observation_id=pl.format("{}-{}", "label", pl.int_range(pl.len()).over("label") // 2)
    )
    (root / "split").mkdir()
    TAXONOMY.write(root / "split" / "taxonomy.json")
    photos = pl.concat([held_out, turn.with_columns(split=pl.lit("test"))], how="diagonal")
    # Nobody says where most photos were taken.
    at = pl.when(pl.col("split") == "test").then(48.5)
    photos = photos.with_columns(latitude=at, longitude=at - 30, month=pl.lit(None, pl.Int8))
    photos.sort("photo_id").write_parquet(root / "split" / "split.parquet")
    backbone = BackboneParams.model_validate(BACKBONE)
    vit = BackboneParams.model_validate(BACKBONE | MASKING)
    for folder, classes, region, built in (
        ("teachers/global", TAXONOMY.classes, None, backbone),
        ("teachers/regional", NORTH, "north", vit),
        ("teachers/forgotten", NORTH, "north", backbone),
        ("student", TAXONOMY.classes, None, backbone),
    ):
        network = build_network(built, ranks=["species", "genus"], classes=classes, region=region, seed=3)
        (root / folder).mkdir(parents=True)
        save_network(network, root / folder)
    (root / "params.yaml").write_text(json.dumps(PARAMS))


def run_evaluate(workspace: Path, out: Path) -> dict[str, Any]:
    params = load_section(EvaluateParams, "evaluate", workspace / "params.yaml")
    folders = {name: workspace / name for name in ("split", "tfrecord", "embed", "teachers", "student")}
    return evaluate(params, **folders, out=out)
