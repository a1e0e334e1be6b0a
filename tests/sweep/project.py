"""A DVC repository whose one stage trains nothing, with the sample's parameters, for sweeps to search in."""

import shutil
from pathlib import Path

from fieldguide.presets import expand, load_overlay, write_params
from tests.pipeline.project import ROOT, Project

PIPELINE = """
stages:
  distill-student:
    cmd: python -m stages.distill_student --out models/student
    params: [distill_student]
    outs: [models/student]
    metrics: [metrics/distill-student.json: {cache: false}]
"""

STAGE = """
import os
import time
from pathlib import Path

from fieldguide.errors import TrainingError
from fieldguide.learn.student_params import DistillationParams
from fieldguide.stage import Metrics, run_stage
from fieldguide.track import stage_run

PAUSE_S = 0.3


def distill_student(params: DistillationParams, *, out: Path) -> Metrics:
    ran = Path(os.environ["DVC_ROOT"]) / "ran.txt"
    with ran.open("a") as stream:
        stream.write(os.environ["DVC_EXP_NAME"] + chr(10))
    if params.optimizer == "sgd":
        raise TrainingError("no training with sgd here")
    score = 1 / (1 + abs(params.temperature - 3))
    for epoch in range(params.epochs):
        stage_run.log_epoch(epoch, {"val_top1": score * (epoch + 1) / params.epochs})
        time.sleep(PAUSE_S)
    out.mkdir(parents=True)
    (out / "weights.txt").write_text(str(params.temperature))
    return {"val_top1": score}


if __name__ == "__main__":
    run_stage(distill_student)
"""

SWEEP = """
targets: [distill-student]
metric: metrics/distill-student.json:val_top1
direction: maximize
trials: 3
parallel: 1
random_trials: 2
pruner: null
seed: 17
set: {distill_student.epochs: 2}
space:
  distill_student.temperature: {kind: uniform, low: 1.0, high: 6.0}
  distill_student.batch_size: {kind: int, low: 8, high: 16}
"""


def make_project(root: Path) -> Project:
    """Create the repository at `root`, committed, nothing run yet; nothing is told to MLflow in it."""
    for name, content in {
        "dvc.yaml": PIPELINE,
        "stages/__init__.py": "",
        "stages/distill_student.py": STAGE,
        "sweeps/student.yaml": SWEEP,
        ".gitignore": "/models/\n/.cache/\n/reports/\n/ran.txt\n/mlflow.db\n/mlartifacts/\n__pycache__/\n",
        ".dvcignore": "__pycache__\n.cache\n",
    }.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
    write_params(expand(load_overlay("sample")), root / "params.yaml")
    shutil.copytree(ROOT / "fieldguide", root / "fieldguide", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "presets", root / "presets")
    project = Project(root, {"FIELDGUIDE_TRACKING": "off"})
    project.run("git", "init", "--quiet", "--initial-branch", "main")
    project.run("dvc", "init", "--quiet")
    project.run("dvc", "config", "core.analytics", "false")
    project.run("dvc", "config", "core.autostage", "true")
    project.commit("One tiny stage")
    return project
