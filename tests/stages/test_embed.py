"""The embed stage as a program: its files, metrics, reports and errors."""

import json
from pathlib import Path

import numpy as np
import pytest

from fieldguide.records.example import parse_example
from fieldguide.records.manifest import Manifest
from fieldguide.records.shard_file import iterate_payloads
from tests.learn.making import backbone_section, embed_section
from tests.stages.learning import make_workspace, run_stage

pytestmark = pytest.mark.slow

EMBED = embed_section(workers=1)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_workspace(tmp_path_factory.mktemp("embed"), {"embed": EMBED})


def test_writes_features_of_every_split(workspace: Path):
    for out in ("interim/embed", "interim/again"):
        done = run_stage(workspace, "embed", tfrecord="interim/tfrecord", out=out)
        assert done.returncode == 0, done.stderr
    embed = workspace / "interim/embed"
    names = [f"{split}.{kind}" for split in ("test", "train", "val") for kind in ("ids.txt", "npy")]
    assert sorted(path.name for path in embed.iterdir()) == ["backbone.json", "digests.json", *names]
    for split, count in {"train": 48, "val": 12, "test": 6}.items():
        features = np.load(embed / f"{split}.npy")
        assert (features.dtype, features.shape) == (np.float16, (count, 1280))
        assert len((embed / f"{split}.ids.txt").read_text().splitlines()) == count
    assert json.loads((workspace / "metrics/embed.json").read_text()) == {
        "num_train": 48, "num_val": 12, "num_test": 6, "dim": 1280,
    }  # fmt: skip
    backbone = json.loads((embed / "backbone.json").read_text())
    assert (backbone["architecture"], backbone["dim"], backbone["weights"]) == (
        "mobilenetv2_035",
        1280,
        {"from": "scratch"},
    )
    for name in names:
        assert (embed / name).read_bytes() == (workspace / "interim/again" / name).read_bytes()


def test_precision_acts(workspace: Path):
    (workspace / "params.yaml").write_text(json.dumps({"embed": {**EMBED, "precision": "bf16-mixed"}}))
    done = run_stage(workspace, "embed", tfrecord="interim/tfrecord", out="interim/bf16")
    assert done.returncode == 0, done.stderr
    narrow, full = (np.load(workspace / folder / "test.npy") for folder in ("interim/bf16", "interim/embed"))
    error = np.abs(narrow.astype(np.float32) - full).max() / np.abs(full).max()
    assert 1e-3 < error < 0.1


def test_missing_weights_are_one_line(workspace: Path):
    backbone = backbone_section(weights={"from": "file", "path": "gone.pth", "sha256": None, "licence": None})
    (workspace / "params.yaml").write_text(json.dumps({"embed": {**EMBED, "backbone": backbone}}))
    done = run_stage(workspace, "embed", tfrecord="interim/tfrecord", out="interim/embed2")
    assert done.returncode == 1
    assert done.stderr.splitlines() == ["embed: weights file gone.pth is missing; see weights.path in params.yaml"]


def test_what_the_labels_are_worth_is_said_and_shown(workspace: Path):
    (workspace / "params.yaml").write_text(json.dumps({"embed": EMBED}))
    done = run_stage(workspace, "embed", tfrecord="interim/tfrecord", out="interim/shown", reports="reports/embed")
    assert done.returncode == 0, done.stderr
    assert "66 of 66 photos were embedded by an earlier run" in done.stderr
    names = ["digests.json", "index.html", "map.csv", "map.png", "suspects.csv"]
    assert sorted(path.name for path in (workspace / "reports/embed").iterdir()) == names
    metrics = json.loads((workspace / "metrics/embed.json").read_text())
    assert metrics["suspects"]["num_examined"] == 66
    assert set(metrics) == {"num_train", "num_val", "num_test", "dim", "knn", "probe", "suspects"}


def test_fuses_records_with_the_answers_to_grey_photos(workspace: Path):
    (workspace / "params.yaml").write_text(json.dumps({"embed": {**EMBED, "grey": True, "fuse": "lab"}}))
    done = run_stage(workspace, "embed", tfrecord="interim/tfrecord", out="interim/fusing")
    assert done.returncode == 0, done.stderr
    features = np.load(workspace / "interim/fusing/val.npy")
    assert np.abs(features - np.load(workspace / "interim/embed/val.npy")).max() > 0
    fused = workspace / "interim/fusing/fused"
    manifest = Manifest.read(fused)
    assert manifest.features["image_embedding"].shape == [features.shape[1]]
    [shard] = manifest.splits["val"].shards
    for payload, row in zip(iterate_payloads(fused / shard.file), features, strict=True):
        assert parse_example(payload)["image_embedding"] == row.astype(np.float32).tolist()
