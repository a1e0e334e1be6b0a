"""What of the project a stage imports, directly or not, and what these modules read: templates, the page's source.

DVC does not follow imports: a module missing from a stage's deps can change while the stage stands as "up to date".

    python -m tests.pipeline.closure resize     # the code deps of stages/resize.py, as dvc.yaml lists them
    python -m tests.pipeline.closure --write    # bring all of dvc.yaml up to date (make deps)
"""

import ast
import re
import sys
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("fieldguide", "stages")
SOURCES = {"web": ("package-lock.json", "web")}
"""What a module reads that names this folder: the scripts, and the versions of the packages they are bundled with."""
CODE = re.compile(rf"(?:{'|'.join(PACKAGES)})/.+|{'|'.join(path for paths in SOURCES.values() for path in paths)}")
"""Deps that are code, not data."""
WIDTH = 120
UNTRACKED = (
    "fieldguide/track/",
    "fieldguide/consistency.py",
    "fieldguide/padding_rules.py",
    "fieldguide/teacher_rules.py",
    "fieldguide/lookup.py",
    "fieldguide/progress.py",
    "fieldguide/system_errors.py",
)
"""Neither deps nor followed. What logs a run, shows how far it is, says how it failed or refuses to start it changes no
output and must not retrain anything."""
CARRIED = {"fieldguide/learn/original_places.py": "fieldguide/fetch/"}
"""Imports of a file that are not followed: what that room brings there is held to digests, whatever its code does."""


TEMPLATES = (".j2", ".jinja")


def import_closure(script: Path, root: Path = ROOT) -> list[str]:
    """The project files that running `script` may import or read, itself included, sorted, relative to `root`.

    Imports inside functions count, and so do the `__init__.py` of every package on the way, if there is code in it, and
    the files beside a module that it names, with the templates that they include.
    """
    found: set[str] = set()
    queue = [script.relative_to(root)]
    while queue:
        file = queue.pop()
        if file.as_posix() in found or file.as_posix().startswith(UNTRACKED) or is_only_said(root / file):
            continue
        found.add(file.as_posix())
        if file.suffix in TEMPLATES:
            included = re.findall(
                r'{%-? *(?:include|extends|import) +"([^"]+)"', (root / file).read_text(encoding="utf-8")
            )
            queue += [file.parent / name for name in included]
        if file.suffix != ".py":
            continue
        tree = ast.parse((root / file).read_text(encoding="utf-8"), str(file))
        carried = CARRIED.get(file.as_posix(), "nothing")
        for module in _imported_modules(tree, file):
            queue += [path for path in _files(module, root) if not path.as_posix().startswith(carried)]
        for text in _texts(tree):
            found.update(SOURCES.get(text, ()))
            if re.fullmatch(r"[\w.]+\.\w+", text) and (root / file.parent / text).is_file():
                queue.append(file.parent / text)
        # `python -m stages.resize` imports the packages above the module too.
        queue += [parent / "__init__.py" for parent in file.parents if (root / parent / "__init__.py").is_file()]
    return sorted(found)


def is_only_said(file: Path) -> bool:
    """Whether a file is the `__init__.py` of a package and holds a docstring at most: nothing can depend on it."""
    if file.name != "__init__.py":
        return False
    body = ast.parse(file.read_text(encoding="utf-8")).body
    return all(isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) for node in body)


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


def code_deps(script: Path, root: Path = ROOT) -> list[str]:
    """`import_closure` with a folder in the place of its files where it holds all of them, sorted."""
    found = set(import_closure(script, root))
    for folder in sorted({parent for path in found for parent in Path(path).parents}, key=lambda path: len(path.parts)):
        inside = {path for path in found if folder in Path(path).parents}
        if len(inside) > 1 and folder.parts and inside == code_files(root, folder):
            found = (found - inside) | {folder.as_posix()}
    return sorted(found)


def code_files(root: Path, folder: Path) -> set[str]:
    """All files below a folder that a stage may depend on, relative to `root`."""
    files = (path for path in (root / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(root).as_posix() for path in files if not is_only_said(path)}


def expand_folders(deps: Iterable[str], root: Path = ROOT) -> set[str]:
    """Deps that are code, with the files of a folder of Python in its place."""
    listed = [dep for dep in deps if CODE.fullmatch(dep)]
    rooms = {dep for dep in listed if dep.startswith(PACKAGES) and (root / dep).is_dir()}
    return {file for dep in listed for file in (code_files(root, Path(dep)) if dep in rooms else [dep])}


def with_code_deps(pipeline: str, root: Path = ROOT) -> str:
    """The text of dvc.yaml with the code deps of every stage whose script exists made complete; the rest untouched.

    They stand in the stage's flow list of deps between the line `# code` and the bracket that closes it.
    """
    result: list[str] = []
    script, inside = root, False
    for line in pipeline.splitlines():
        if stage := re.fullmatch(r"  ([a-z][a-z0-9-]*):", line):
            script = root / "stages" / f"{stage[1].replace('-', '_')}.py"
        if inside and line.strip() == "]":
            inside = False
        if not inside:
            result.append(line)
        if line.strip() == "# code" and script.is_file():
            inside, indent = True, line.removesuffix("# code")
            listed = ", ".join(code_deps(script, root)) + ","
            result += textwrap.wrap(
                listed, WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
            )
    return "\n".join(result) + "\n"


def main() -> None:
    """Print the code deps of the stages named on the command line, or write those of all."""
    if sys.argv[1:] == ["--write"]:
        file = ROOT / "dvc.yaml"
        file.write_text(with_code_deps(file.read_text(encoding="utf-8")), encoding="utf-8")
        return
    for stage in sys.argv[1:]:
        for file_name in code_deps(ROOT / "stages" / f"{stage.replace('-', '_')}.py"):
            print(f"      - {file_name}")


if __name__ == "__main__":
    main()
