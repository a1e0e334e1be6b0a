"""What of the project a stage imports, directly or not, and what these modules read: templates, the page's source.

DVC does not follow imports: a module missing from a stage's deps can change while the stage stands as "up to date".

    python -m tests.pipeline.closure resize     # the code deps of stages/resize.py, as dvc.yaml lists them
    python -m tests.pipeline.closure --write    # bring all of dvc.yaml up to date (make deps)
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("fieldguide", "stages")
SOURCES = {"web": ("package-lock.json", "web")}
"""What a module reads that names this folder: the scripts, and the versions of the packages they are bundled with."""
CODE = re.compile(rf"(?:{'|'.join(PACKAGES)})/.+|{'|'.join(path for paths in SOURCES.values() for path in paths)}")
"""Deps that are code, not data."""
UNTRACKED = "fieldguide/track/"
"""Neither deps nor followed: an edit of logging must not retrain anything."""


def import_closure(script: Path, root: Path = ROOT) -> list[str]:
    """The project files that running `script` may import or read, itself included, sorted, relative to `root`.

    Imports inside functions count, and so do the `__init__.py` of every package on the way and the files beside a
    module that it names.
    """
    found: set[str] = set()
    queue = [script.relative_to(root)]
    while queue:
        file = queue.pop()
        if file.as_posix() in found or file.as_posix().startswith(UNTRACKED):
            continue
        found.add(file.as_posix())
        if file.suffix != ".py":
            continue
        tree = ast.parse((root / file).read_text(encoding="utf-8"), str(file))
        for module in _imported_modules(tree, file):
            queue += _files(module, root)
        for text in _texts(tree):
            found.update(SOURCES.get(text, ()))
            if re.fullmatch(r"[\w.]+\.\w+", text) and (root / file.parent / text).is_file():
                queue.append(file.parent / text)
        # `python -m stages.resize` imports the packages above the module too.
        queue += [parent / "__init__.py" for parent in file.parents if (root / parent / "__init__.py").is_file()]
    return sorted(found)


def _texts(tree: ast.Module) -> set[str]:
    constants = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return {value for value in constants if isinstance(value, str)}


def _imported_modules(tree: ast.Module, file: Path) -> Iterator[str]:
    package = list(file.parent.parts)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _files(module: str, root: Path) -> list[Path]:
    """The file behind a dotted name; none for foreign modules and for names that are not modules."""
    parts = module.split(".")
    if parts[0] not in PACKAGES:
        return []
    path = Path(*parts)
    candidates = (path.with_suffix(".py"), path / "__init__.py")
    return [file for file in candidates if (root / file).is_file()]


def with_code_deps(pipeline: str, root: Path = ROOT) -> str:
    """The text of dvc.yaml with the code deps of every stage whose script exists made complete; the rest untouched."""
    result: list[str] = []
    script, indent, inside = root, "", False
    for line in [*pipeline.splitlines(), ""]:
        if inside and not line.lstrip().startswith(("- ", "#")):
            inside = False
            result += [f"{indent}- {file}" for file in import_closure(script, root)]
        if stage := re.fullmatch(r"  ([a-z][a-z0-9-]*):", line):
            script = root / "stages" / f"{stage[1].replace('-', '_')}.py"
        if inside and CODE.fullmatch(line.strip().removeprefix("- ")):
            continue
        result.append(line)
        if line.strip() == "deps:" and script.is_file():
            inside, indent = True, line.replace("deps:", "  ")
    return "\n".join(result)


def main() -> None:
    """Print the code deps of the stages named on the command line, or write those of all."""
    if sys.argv[1:] == ["--write"]:
        file = ROOT / "dvc.yaml"
        file.write_text(with_code_deps(file.read_text(encoding="utf-8")), encoding="utf-8")
        return
    for stage in sys.argv[1:]:
        for file_name in import_closure(ROOT / "stages" / f"{stage.replace('-', '_')}.py"):
            print(f"      - {file_name}")


if __name__ == "__main__":
    main()
