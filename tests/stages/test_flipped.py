"""Two hundred flipped bits over the outputs of all stages: each is named by the stage that reads it, with its file."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from fieldguide.digests import write_digests
from fieldguide.engine import run_isolated
from tests.images.pictures import blotches, encode
from tests.learn.making import embed_section, student_section, teacher_section
from tests.stages.conftest import WriteFetch
from tests.stages.flipping import ROOT, flip_inputs

pytestmark = pytest.mark.slow

NUM_PHOTOS = 40
WEIGHTS = {"rank_weights": {"species": 1.0}, "epochs": 1}
CHANGES: dict[str, dict[str, Any]] = {
    "clean": {"min_side": 16, "drop_near_duplicates": False, "production_only": False},
    "split": {
        "ranks": ["species"],
        "taxonomy": None,
        "min_samples": 1,
        "min_eval_photos": 0,
        "class_cap": None,
        "group_by": ["observation_id"],
        "given": None,
    },
    "resize": {"size": 32, "photos_per_shard": 12},
    "tfrecord": {"records_per_shard": 12},
    "embed": embed_section(),
    "train_teacher": {},
    "distill_student": student_section(**WEIGHTS),
    "evaluate": {"batch_size": 16, "workers": 0},
}


@pytest.fixture
def root(write_fetch: WriteFetch, tmp_path: Path) -> Path:
    """A small interim/fetch and a params.yaml; the stages make the rest."""
    photos = [
        (
            encode(blotches(number, 60, 50)),
            {"label": f"Aster s{number % 2}", "observation_id": f"o{number}", "region": "north"},
        )
        for number in range(NUM_PHOTOS)
    ]
    fetch = write_fetch(photos, tmp_path / "root/interim/fetch")
    write_digests(fetch, "fetch")
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    for section, changes in CHANGES.items():
        params[section] |= changes
        if "engine" in params[section]:
            params[section]["engine"] = {"backend": "loky", "workers": 1}
    params["train_teacher"] = {"global": teacher_section(**WEIGHTS)}
    (tmp_path / "root/params.yaml").write_text(json.dumps(params), encoding="utf-8")
    return tmp_path / "root"


def test_every_flipped_bit_is_named(root: Path):
    wrong = []
    # TensorFlow and torch may not share a process.
    for stages in (
        ["clean", "split", "resize"],
        ["tfrecord"],
        ["embed", "train_teacher", "distill_student", "evaluate"],
    ):
        wrong += run_isolated(flip_inputs, root, stages, num_flips=25, seed=7)
    assert wrong == []
