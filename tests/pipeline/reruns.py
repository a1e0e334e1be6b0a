"""Which stages a changed parameter reruns: from dvc.yaml, and from what is known of outputs that stay as they are.

    python -m tests.pipeline.reruns    # the table of docs/pipeline.md

A stage reruns for certain if it declares the parameter. Those after it rerun only if what they read has changed.
"""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import cache
from pathlib import PurePosixPath
from typing import Any

from tests.pipeline.pipeline_file import StageEntry, read_stages

UNCHANGED: dict[str, tuple[str, ...]] = {
    "fetch.engine.*": ("interim/fetch",),
    "clean.engine.*": ("interim/clean", "reports/clean"),
    "split.frequency.*": ("interim/split",),
    "split.train_small": (
        "interim/split/split.parquet",
        "interim/split/taxonomy.json",
        "interim/split/left_out.parquet",
        "interim/split/train_all.parquet",
        "reports/split",
    ),
    "resize.engine.*": ("interim/resize",),
    "tfrecord.engine.*": ("interim/tfrecord",),
    "embed.review.*": ("interim/embed",),
}
"""Outputs that do not depend on a parameter of their stage; tests/pipeline/test_reruns.py sees that it is so."""

PATTERNS = [*UNCHANGED, *(f"{stage.name.replace('-', '_')}.*" for stage in read_stages())]
"""The rows of the table; the first one that matches a parameter holds."""

MARK = "<!-- reruns -->"


@cache
def rerun(pattern: str) -> tuple[list[str], list[str]]:
    """Stages that rerun when a parameter of that name changes: for certain, and only where their inputs changed."""
    stages = read_stages()
    certain = [
        stage for stage in stages if any(_covers(str(declared), pattern) for declared in stage.content["params"])
    ]
    changed = [
        path
        for stage in certain
        for path in stage.paths("outs")
        if not any(_overlap(path, kept) for kept in UNCHANGED.get(pattern, ()))
    ]
    later: list[StageEntry] = []
    for stage in stages:
        reads = stage.paths("deps")
        if stage not in certain and any(_overlap(dep, path) for dep in reads for path in changed):
            later.append(stage)
            changed += stage.paths("outs")
    return [stage.name for stage in certain], [stage.name for stage in later]


def row_of(parameter: str) -> str:
    """The pattern of the row that holds for a parameter such as `split.frequency.few_below`."""
    return next(pattern for pattern in PATTERNS if fnmatchcase(parameter, pattern))


def leaves(params: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Dotted names of all values in params.yaml; a list is a value."""
    names = []
    for key, value in params.items():
        name = f"{prefix}{key}"
        names += leaves(value, f"{name}.") if isinstance(value, dict) and value else [name]
    return names


def as_markdown() -> str:
    """The table of docs/pipeline.md."""
    rows = [(pattern, *map(", ".join, rerun(pattern))) for pattern in PATTERNS]
    lines = [f"| `{pattern}` | {certain} | {later or 'none'} |" for pattern, certain, later in rows]
    return "\n".join(["| parameter | reruns | and, where what they read changed |", "|---|---|---|", *lines])


def _covers(declared: str, pattern: str) -> bool:
    """Whether a declared name (`split`, `train_teacher.${key}`) holds the parameters of a row."""
    declared = declared.replace(".${key}", "")
    return pattern.startswith(f"{declared}.")


def _overlap(left: str, right: str) -> bool:
    one, other = PurePosixPath(left), PurePosixPath(right)
    return one == other or one in other.parents or other in one.parents


if __name__ == "__main__":
    print(as_markdown())
