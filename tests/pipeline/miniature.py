"""A pipeline of two tiny stages on the real stage, tracking and parameter code, to test what lies around stages."""

import shutil
from pathlib import Path

from tests.pipeline.project import ROOT, Project

FILES = {
    "params.yaml": """
draw: {num_numbers: 5}
distill_student: {temperature: 3.0, epochs: 3, seconds: 0.0, layers: [4, 2]}
""",
    "dvc.yaml": """
stages:
  draw:
    cmd: python -m stages.draw --out interim/draw
    deps: [stages/draw.py]
    params: [draw]
    outs: [interim/draw]
    metrics: [metrics/draw.json: {cache: false}]
  distill-student:
    cmd: python -m stages.distill_student --draw interim/draw --out models/student
    deps: [stages/distill_student.py, interim/draw]
    params: [distill_student]
    outs: [models/student]
    metrics: [metrics/distill-student.json: {cache: false}]
""",
    "stages/draw.py": """
from pathlib import Path

from fieldguide.params import Section
from fieldguide.stage import Metrics, run_stage


class DrawParams(Section):
    num_numbers: int


def draw(params: DrawParams, *, out: Path) -> Metrics:
    out.mkdir(parents=True)
    (out / "numbers.txt").write_text(" ".join(map(str, range(params.num_numbers))))
    return {"num_numbers": params.num_numbers}


if __name__ == "__main__":
    run_stage(draw)
""",
    "stages/distill_student.py": """
import time
from pathlib import Path

from fieldguide.track import stage_run
from fieldguide.params import Section
from fieldguide.stage import Metrics, run_stage


class DistillParams(Section):
    temperature: float
    epochs: int
    seconds: float
    layers: list[int]


def distill_student(params: DistillParams, *, draw: Path, out: Path) -> Metrics:
    assert (draw / "numbers.txt").is_file()
    for epoch in range(params.epochs):
        stage_run.log_epoch(epoch, {"loss": params.temperature / (epoch + 1), "top1@val": 0.5})
    out.mkdir(parents=True)
    weights = out / "weights.txt"
    weights.write_text(str(params.temperature))
    stage_run.log_artifact(weights)
    time.sleep(params.seconds)
    return {"student": {"top1": params.temperature / 10, "note": "not a number"}, "good": True}


if __name__ == "__main__":
    run_stage(distill_student)
""",
    "stages/__init__.py": "",
    ".gitignore": "/interim/\n/models/\n/mlflow.db\n/mlartifacts/\n__pycache__/\n",
    ".dvcignore": "__pycache__\nmlartifacts\n",
}


def make_miniature(root: Path) -> Project:
    """Create the repository at `root`, committed, nothing run yet; tracking is strict in it."""
    for name, content in FILES.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
    shutil.copytree(ROOT / "fieldguide", root / "fieldguide", ignore=shutil.ignore_patterns("__pycache__"))
    project = Project(root, {"FIELDGUIDE_TRACKING": "strict"})
    project.run("git", "init", "--quiet", "--initial-branch", "main")
    project.run("dvc", "init", "--quiet")
    project.run("dvc", "config", "core.analytics", "false")
    project.run("dvc", "config", "core.autostage", "true")
    project.commit("Two tiny stages")
    return project
