"""Everything that export-tfjs reads, made small by hand, and one export of it that several test files share."""

import functools
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from fieldguide.engine import run_isolated
from fieldguide.evaluate.familiar import Familiar, write_familiar
from fieldguide.evaluate.prior import Prior
from fieldguide.evaluate.prior_file import write_prior
from fieldguide.evaluate.rules import MeasuredRisk, Rule, Rules, Situation
from fieldguide.export.model_folder import MIX_UPS
from fieldguide.export.params import ExportTfjsParams
from fieldguide.files import write_json
from fieldguide.learn.embed_files import features_path, ids_path
from fieldguide.records.params import TfrecordParams
from fieldguide.records.reader import RecordSet
from fieldguide.spreadsheet import write_csv
from stages.export_tfjs import export_tfjs
from stages.tfrecord import tfrecord
from tests.export.making import DIM, make_student
from tests.records.making import TAXONOMY, make_photo, make_resized, tfrecord_section

NUM_PHOTOS = {"train": 8, "val": 2, "test": 12}

STRICT = {"min_top1_agreement": 1.0, "max_logit_error": 0.001}
PARAMS: dict[str, Any] = {
    "production_only": True,
    "quantization": "float16",
    "regions": [],
    "rounding": "nearest",
    "max_top1_loss": 0.005,
    "num_quantization_photos": 12,
    "tflite": True,
    "num_examples": 3,
    "reference_photos_mb": 0.5,
    "species_notes": None,
    "num_parity_photos": 10,
    "limits": {
        "onnxruntime": STRICT,
        "tensorflow": STRICT,
        "tflite": STRICT,
        "tfjs_node": {"min_top1_agreement": 0.9, "max_logit_error": 0.1},
    },
    "min_strange_agreement": 1.0,
    "max_bundle_mb": 8,
    "page": {"title": None, "introduction": None, "accent": None, "links": []},
}

MEASURED = MeasuredRisk(num_photos=1240, risk=0.08, risk_interval=(0.055, 0.112))
ONE = Rule(thresholds={"species": 0.4, "genus": 0.4}, set_limit=0.97, num_chosen_by=60, tested=MEASURED)
PLACED = Rule(thresholds={"species": 0.5, "genus": 0.4}, set_limit=0.97, num_chosen_by=60)
RULES = Rules.of({Situation.ONE: ONE, Situation.ONE_PLACED: PLACED})
"""Of one photo; with several, nothing was measured."""

PRIOR = Prior(
    cells=np.float32([[48.5, 16.5], [-10.5, 120.5]]),
    classes=np.array([1, 2, 2, 3]),
    cell=np.array([0, 1, 0, 1]),
    month=np.array([5, 11, 11, 5]),
    counts=np.array([90, 60, 3, 40]),
    num_classes=5,
    spread=2.0,
    strength=0.75,
)
"""Species 1 is of one place and month, species 2 of another."""

FAMILIAR = Familiar.of(*(np.random.default_rng(4).normal(size=(40, dim)).astype(np.float32) for dim in (DIM, 5)))


def make_inputs(root: Path) -> dict[str, Path]:
    """What the stage reads, below `root`, as its keyword arguments; `out` and `bundle` are yet to be written."""
    folders = ("student", "fetch", "split", "tfrecord", "evaluate", "embed", "out", "bundle")
    paths = {name: root / name for name in folders}
    make_resized(root / "resize", NUM_PHOTOS)
    params = TfrecordParams.model_validate(tfrecord_section(salt="test"))
    run_isolated(tfrecord, params, resize=root / "resize", split=root / "resize", out=paths["tfrecord"])
    run_isolated(make_student, paths["student"])
    ids = [make_photo(number)[0] for number in range(sum(NUM_PHOTOS.values()))]
    splits = [name for name, count in NUM_PHOTOS.items() for _ in range(count)]
    for name in ("fetch", "split", "evaluate", "embed"):
        paths[name].mkdir()
    TAXONOMY.write(paths["split"] / "taxonomy.json")
    pl.DataFrame({"photo_id": ids, "split": splits}).write_parquet(paths["split"] / "split.parquet")
    licences = [["CC0-1.0", "CC-BY-4.0", "CC-BY-NC-4.0"][number % 3] for number in range(len(ids))]
    holders = [[None, "A | B", "C"][number % 3] for number in range(len(ids))]
    credits = {"photo_id": ids, "licence": licences, "rights_holder": holders, "observer": holders}
    pl.DataFrame(credits).write_parquet(paths["fetch"] / "catalogue.parquet")
    decided = {"rules": RULES.model_dump(mode="json"), "max_error": 0.1, "set_target": 0.9, "fusion_exponent": 0.25}
    write_json(paths["evaluate"] / "calibration.json", {"student": {"temperatures": {"species": 1.5}, **decided}})
    write_prior(PRIOR, "species", paths["evaluate"] / "models/student")
    write_familiar(FAMILIAR, paths["evaluate"] / "models/student")
    write_csv(paths["evaluate"] / MIX_UPS, ["actual", "predicted", "num_photos"], [("Linum nudum", "Aster bellus", 2)])
    train = RecordSet.open(paths["tfrecord"], "train").photo_ids
    ids_path(paths["embed"], "train").write_text("\n".join(train))
    np.save(features_path(paths["embed"], "train"), np.random.default_rng(3).normal(size=(len(train), 6)))
    return paths


@functools.cache
def export_once(root: Path) -> tuple[dict[str, Path], dict[str, Any]]:
    """The stage's paths and metrics after one good run below `root`; never change what is there."""
    shutil.rmtree(root, ignore_errors=True)
    paths = make_inputs(root)
    return paths, export_tfjs(ExportTfjsParams.model_validate(PARAMS), **paths)
