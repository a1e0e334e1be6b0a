"""What a training run depends on: what is to be learnt, and the setting in which it is computed.

The fingerprint names what changes the result: parameters, records, first weights, teachers. The setting names the rest
that reaches the last bits or might do more: code, versions of libraries, threads, device, number of processes. A run of
the same fingerprint and setting ends with the same bits; one of the same fingerprint in another setting ends about as
good. In neither is a comment, or another interval between checkpoints.
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
"""A digest by name."""
Setting = dict[str, str]
"""A digest, a version or a number by name; names and values are for people to read."""

WITHOUT_EFFECT = ("workers", "devices", "checkpoint_steps", "max_failure_rate", "resume", "cache_gb")
"""Parameters that change how a result is reached, not the result."""

ROOMS = ("catalogue", "images", "records", "learn")
"""Whose modules, with the stage's own script, make the result; others only carry it."""


def make_fingerprint(params: Mapping[str, Any], tfrecord: Path | None, *others: Path) -> Fingerprint:
    """Digests of what is to be learnt from these records (None: from whatever records).

    `others` are files such as weights.
    """
    acting = {key: value for key, value in params.items() if key not in WITHOUT_EFFECT}
    text = json.dumps(acting, sort_keys=True, default=str)
    return {
        "params": hashlib.sha256(text.encode()).hexdigest(),
        **({"records": file_sha256(tfrecord / MANIFEST)} if tfrecord else {}),
        **{str(path): file_sha256(path) for path in others},
    }


def describe_software() -> Setting:
    """The code without its comments, and the libraries that make results."""
    modules = (torch, torchvision, timm, lightning_fabric, numpy, PIL)
    return {"code": digest_code()[:16], **{module.__name__: str(module.__version__) for module in modules}}


def describe_setting(num_processes: int = 1) -> Setting:
    """All that may change bits of a result beside the fingerprint; ask when torch's threads are as they will be.

    (Sums are split over threads, and over processes that train together.)
    """
    return {
        **describe_software(),
        "device": describe_device(),
        "threads": str(torch.get_num_threads()),
        "processes": str(num_processes),
    }


def describe_device() -> str:
    """The accelerator's name; of a processor the instructions by which PyTorch chooses how to compute."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    # oneDNN multiplies bfloat16 otherwise where there are instructions for it.
    there_are = torch.cpu.get_capabilities()
    own = [name for name in ("avx512_bf16", "amx_bf16") if there_are.get(name)]
    return " ".join(["CPU with", torch.backends.cpu.get_cpu_capability(), *own])


def name_differences(earlier: Setting, now: Setting) -> list[str]:
    """What differs, for people: `code`, `torch 2.14.0 instead of 2.15.0`."""
    names = [name for name in {**now, **earlier} if earlier.get(name) != now.get(name)]
    values = {name: (earlier.get(name, "unknown"), now.get(name, "unknown")) for name in names}
    return [
        name if name == "code" else f"{name} {before} instead of {after}" for name, (before, after) in values.items()
    ]


def name_run(stage: str, fingerprint: Mapping[str, str]) -> str:
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
