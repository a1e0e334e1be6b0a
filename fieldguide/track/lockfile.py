"""What DVC's own files say about a stage: which tracked paths it reads, and which stages came before it.

dvc.lock holds the digest of every output as soon as its stage is done; the deps of a stage that is running now are
read from dvc.yaml, because its lock entry is still that of the last run.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

from ruamel.yaml import YAML

TEMPLATE = re.compile(r"\$\{([^}]+)\}")


@dataclass(frozen=True)
class TrackedPath:
    """An output or a tracked input and the digest DVC knows it by."""

    path: str
    digest: str
    """MD5 as 32 hexadecimal digits, with `.dir` behind it for a directory."""
    stage: str | None
    """The stage that writes it; None if a .dvc file tracks it."""


def stage_inputs(stage: str, root: Path = Path()) -> list[TrackedPath]:
    """The tracked paths that the stage with this DVC name (`train-teacher@global`) reads, in the order of its deps.

    Code and other files that Git holds are not among them.
    """
    tracked = list(tracked_paths(root))
    deps = _declared_deps(stage, root)
    found = [out for dep in deps for out in tracked if _overlap(dep, out.path) and out.stage != stage]
    return list(dict.fromkeys(found))


def stages_before(stage: str, root: Path = Path()) -> list[str]:
    """Every stage whose outputs reached this one, directly or not, nearest first."""
    outs = list(tracked_paths(root))
    locked = locked_stages(root)
    found: dict[str, None] = {}
    queue = [stage]
    while queue:
        current = queue.pop(0)
        if current == stage:
            deps = _declared_deps(stage, root)
        else:
            deps = [dep["path"] for dep in locked.get(current, {}).get("deps", [])]
        writers = [out.stage for dep in deps for out in outs if out.stage and _overlap(dep, out.path)]
        fresh = [writer for writer in dict.fromkeys(writers) if writer not in found and writer != stage]
        found.update(dict.fromkeys(fresh))
        queue += fresh
    return list(found)


def tracked_paths(root: Path) -> Iterator[TrackedPath]:
    """What .dvc files track, then the outputs of every stage that ran, in the order of dvc.lock."""
    for pointer in sorted(root.glob("*.dvc")):
        if pointer.is_file():
            yield from _outs(_read_yaml(pointer), stage=None)
    for name, entry in locked_stages(root).items():
        yield from _outs(entry, stage=name)


def _outs(entry: dict[str, Any], stage: str | None) -> Iterator[TrackedPath]:
    for out in entry.get("outs", []):
        if "md5" in out:
            yield TrackedPath(out["path"], out["md5"], stage)


def locked_stages(root: Path) -> dict[str, Any]:
    """What dvc.lock says of each stage that ran: `cmd`, `deps`, `params` and `outs`, by DVC's name of the stage."""
    lock = root / "dvc.lock"
    return dict(_read_yaml(lock).get("stages", {})) if lock.is_file() else {}


def _declared_deps(stage: str, root: Path) -> list[str]:
    """The deps of dvc.yaml, with what DVC puts in the place of `${key}`, `${item.init_from}` and the like."""
    pipeline = root / "dvc.yaml"
    stages = _read_yaml(pipeline).get("stages", {}) if pipeline.is_file() else {}
    name, _, variant = stage.partition("@")
    entry = stages.get(name, {})
    deps = entry.get("do", entry).get("deps", [])
    params = _read_yaml(root / "params.yaml") if (root / "params.yaml").is_file() else {}
    each = _at(params, str(entry.get("foreach", "")).strip("${}"))
    known = {**params, "key": variant, "item": each.get(variant, variant) if isinstance(each, Mapping) else variant}
    return [TEMPLATE.sub(lambda match: str(_at(known, match[1])), str(dep)) for dep in deps]


def consistent_stages(lock: Mapping[str, Any], params: Mapping[str, Any]) -> set[str]:
    """The stages of a dvc.lock that ran with these parameters, and on what the stages before them wrote last.

    After a run of a part of the pipeline the others are those of an earlier one.
    """
    stages = lock.get("stages", {})
    written = {out["path"]: (out.get("md5"), name) for name, entry in stages.items() for out in entry.get("outs", [])}

    @cache
    def fits(name: str) -> bool:
        entry = stages[name]
        locked = entry.get("params", {}).get("params.yaml", {})
        if any(_at(params, key) != value for key, value in locked.items()):
            return False
        for dep in entry.get("deps", []):
            for path, (digest, writer) in written.items():
                if dep["path"] == path and dep.get("md5") != digest:
                    return False
                if writer != name and _overlap(dep["path"], path) and not fits(writer):
                    return False
        return True

    return {name for name in stages if fits(name)}


def _at(content: Any, key: str) -> Any:
    for part in key.split("."):
        content = content.get(part) if isinstance(content, Mapping) else None
    return content


def _overlap(one: str, other: str) -> bool:
    first, second = PurePosixPath(one), PurePosixPath(other)
    return first.is_relative_to(second) or second.is_relative_to(first)


def _read_yaml(file: Path) -> dict[str, Any]:
    # In YAML 1.2, as DVC does: in 1.1 a text such as 4:2:0 is a number.
    content = YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))
    return content if isinstance(content, dict) else {}
