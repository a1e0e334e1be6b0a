"""What a training run depends on, as digests: only the very same run takes up what a killed one left.

Named is what changes the result and nothing else. A comment, another number of workers or cores, another interval
between checkpoints costs no epoch. (Sums are split over torch's threads, so the last bits follow the number of cores:
a run taken up on another machine ends as good, but not bit for bit as it would have.)
"""

import ast
import hashlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lightning_fabric
import numpy
import PIL
import timm
import torch
import torchvision

from fieldguide.files import file_sha256
from fieldguide.records.manifest import MANIFEST

Fingerprint = dict[str, str]
"""A digest or a version by name."""

WITHOUT_EFFECT = ("workers", "devices", "checkpoint_steps", "max_failure_rate")
"""Parameters that change how a result is reached, not the result."""

ROOMS = ("catalogue", "images", "records", "learn")
"""Whose modules, with the stage's own script, make the result; others only carry it."""


def make_fingerprint(params: Mapping[str, Any], tfrecord: Path | None, *others: Path) -> Fingerprint:
    """Digests of everything that changes the result of a run on these records (None: on whatever records).

    `others` are files such as weights.
    """
    acting = {key: value for key, value in params.items() if key not in WITHOUT_EFFECT}
    text = json.dumps(acting, sort_keys=True, default=str)
    modules = (torch, torchvision, timm, lightning_fabric, numpy, PIL)
    return {
        "params": hashlib.sha256(text.encode()).hexdigest(),
        **({"records": file_sha256(tfrecord / MANIFEST)} if tfrecord else {}),
        **{str(path): file_sha256(path) for path in others},
        "code": digest_code(),
        "versions": " ".join(f"{module.__name__} {module.__version__}" for module in modules),
    }


def name_run(stage: str, fingerprint: Fingerprint) -> str:
    """A short name that differs wherever the fingerprint does: `train-teacher-global-3f2a9c0d1b5e7788`."""
    return f"{stage}-{hashlib.sha256(json.dumps(fingerprint, sort_keys=True).encode()).hexdigest()[:16]}"


def digest_code() -> str:
    """SHA-256 over the project's loaded modules that make results, read without comments and docstrings."""
    root = Path(__file__).parents[2]
    files = set()
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if file and Path(file).is_relative_to(root):
            path = Path(file).relative_to(root)
            if path.parts[0] == "stages" or (path.parts[0] == "fieldguide" and path.parts[1] in ROOMS):
                files.add(path)
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(f"{path}\0{strip_comments((root / path).read_text(encoding='utf-8'))}\0".encode())
    return digest.hexdigest()


def strip_comments(source: str) -> str:
    """Python source as its syntax tree, so that comments, docstrings and layout do not count."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [each for each in node.body if not _is_text(each)]
    return ast.dump(tree)


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
