"""resume.ckpt: where training stands, and what it belongs to.

A checkpoint is taken up only by the very run that wrote it: same parameters, records, taxonomy, code and versions.
"""

import hashlib
import json
import logging
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning_fabric
import numpy
import PIL
import timm
import torch
import torchvision
from lightning_fabric import Fabric

from fieldguide.engine import count_workers
from fieldguide.files import file_sha256, written_whole
from fieldguide.records.manifest import MANIFEST

log = logging.getLogger(__name__)

RESUME_FILE = "resume.ckpt"

UNRELATED_MODULES = (
    "fieldguide.track.stage_run",
    "fieldguide.track.recorder",
    "fieldguide.track.mlflow_store",
    "fieldguide.track.lockfile",
)
"""Project modules that observe a run and cannot change its result."""

Fingerprint = dict[str, str]
"""What a run depends on: a digest or a version by name."""


def make_fingerprint(params: Mapping[str, Any], tfrecord: Path, *others: Path) -> Fingerprint:
    """Digests of everything that a training run depends on; `others` are files such as taxonomy.json."""
    text = json.dumps(params, sort_keys=True, default=str)
    modules = (torch, torchvision, timm, lightning_fabric, numpy, PIL)
    return {
        "params": hashlib.sha256(text.encode()).hexdigest(),
        "records": file_sha256(tfrecord / MANIFEST),
        **{str(path): file_sha256(path) for path in others},
        "code": digest_code(),
        # Sums are split over torch's threads, so their last bits depend on how many there are.
        "cores": str(count_workers(0)),
        "versions": " ".join(f"{module.__name__} {module.__version__}" for module in modules),
    }


def digest_code() -> str:
    """SHA-256 over the project's modules that are loaded, by file name."""
    root = Path(__file__).parents[2]
    files = set()
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and name not in UNRELATED_MODULES and Path(file).is_relative_to(root):
            path = Path(file).relative_to(root)
            if path.parts[0] in ("fieldguide", "stages"):
                files.add(path)
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(f"{path}\0{file_sha256(root / path)}\0".encode())
    return digest.hexdigest()


@dataclass(frozen=True)
class Checkpoints:
    """The resume file of one run."""

    path: Path
    fingerprint: Fingerprint
    fabric: Fabric

    def save(self, state: dict[str, Any]) -> None:
        """Write the state of training (modules, optimisers, plain values), whole or not at all."""
        with written_whole(self.path) as temporary:
            self.fabric.save(temporary, {**state, "fingerprint": self.fingerprint})

    def load(self) -> dict[str, Any] | None:
        """The state that this very run saved; None, with one log line saying why, if there is none to take up."""
        if not self.path.exists():
            return None
        # weights_only: a checkpoint from elsewhere may hold tensors and plain values, never code.
        state: dict[str, Any] = self.fabric.load(self.path, weights_only=True)
        found = state.pop("fingerprint", {})
        names = {**self.fingerprint, **found}
        if changed := [name for name in names if found.get(name) != self.fingerprint.get(name)]:
            log.info("%s is of another run and is ignored; changed: %s", self.path, ", ".join(changed))
            return None
        log.info("resuming at epoch %d, step %d", state["epoch"], state["step"])
        return state

    def remove(self) -> None:
        """Delete the resume file: training is done."""
        self.path.unlink(missing_ok=True)
