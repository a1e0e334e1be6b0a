"""dvc.yaml as the guards see it, and which sections of params.yaml a stage's code reads."""

import ast
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.pipeline.closure import ROOT, import_closure


@dataclass(frozen=True)
class StageEntry:
    """One stage of dvc.yaml; of a foreach, its template."""

    name: str
    is_foreach: bool
    content: dict[str, Any]

    @property
    def script(self) -> Path:
        """Where its program must be."""
        return ROOT / "stages" / f"{self.name.replace('-', '_')}.py"

    def paths(self, *kinds: str) -> list[str]:
        """The paths listed under `kinds` (deps, outs, metrics, plots), in order."""
        return [path for kind in kinds for path, _ in self.listed(kind)]

    def listed(self, kind: str) -> list[tuple[str, dict[str, Any]]]:
        """Path and options of each item under `kind`."""
        items = self.content.get(kind, [])
        return [next(iter(item.items())) if isinstance(item, dict) else (item, {}) for item in items]

    def command(self) -> list[str]:
        """The words of its command line."""
        return shlex.split(self.content["cmd"])


def read_stages() -> list[StageEntry]:
    """Every stage of dvc.yaml, in order."""
    content = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))
    return [StageEntry(name, "foreach" in entry, entry.get("do", entry)) for name, entry in content["stages"].items()]


def sections_read(script: Path, root: Path = ROOT) -> set[str]:
    """The sections of params.yaml that a stage's code reads; `train_teacher.*` for a section with variants.

    `run_stage` reads the section named like the stage's function; any other is read as `read_params()["section"]` or
    `load_section(Model, "section")`. Raises ValueError where the name cannot be told from the code.
    """
    found: set[str] = set()
    for file in import_closure(script, root):
        if not file.endswith(".py") or file in ("fieldguide/params.py", "fieldguide/stage.py"):
            continue
        tree = ast.parse((root / file).read_text(encoding="utf-8"), file)
        parents = {child: parent for parent in ast.walk(tree) for child in ast.iter_child_nodes(parent)}
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            if node.func.id == "run_stage" and root / file == script:
                assert isinstance(node.args[0], ast.Name)
                has_variants = any(keyword.arg == "variant" for keyword in node.keywords)
                found.add(node.args[0].id + (".*" if has_variants else ""))
            elif node.func.id == "load_section":
                found.add(_section_name(node.args[1], file))
            elif node.func.id == "read_params":
                parent = parents[node]
                if not isinstance(parent, ast.Subscript):
                    raise ValueError(f'{file}:{node.lineno}: read a section as read_params()["name"]')
                found.add(_section_name(parent.slice, file))
    return found


def _section_name(node: ast.expr, file: str) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
        return f"{str(node.values[0].value).rstrip('.')}.*"
    raise ValueError(f"{file}:{node.lineno}: name the section of params.yaml in place, so that guards can see it")
