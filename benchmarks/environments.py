"""Throw-away environments for packages whose pins keep them out of this project's own: making and describing one."""

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from benchmarks.fetch import ROOT

DESCRIBE = """
import importlib.metadata as metadata, json, os, sys
[folder] = [path for path in sys.path if path.endswith("site-packages")]
size = sum(os.lstat(os.path.join(place, name)).st_size for place, _, names in os.walk(folder) for name in names)
package = sys.argv[1]
print(json.dumps({
    "versions": {each.name: each.version for each in metadata.distributions()},
    "bytes": size,
    "requires": metadata.requires(package) or [] if package else [],
    "python": metadata.metadata(package)["Requires-Python"] if package else None,
}))
"""

SHARED = ("numpy", "onnx", "protobuf", "psutil", "tensorflow", "torch")
"""Packages of this project whose pins decide whether another one can live beside it."""


@dataclass(frozen=True)
class Environment:
    """What is installed together."""

    package: str
    """The one that it is made for; empty for what this project needs itself."""
    requirements: tuple[str, ...]

    @property
    def name(self) -> str:
        """Of its folder, and in tables."""
        return self.package or "ours"


def install(environment: Environment, folder: Path, python: str) -> Path:
    """The interpreter of the environment below `folder`, which is made, with uv, where there is none yet."""
    interpreter = folder / environment.name / "bin" / "python"
    if not interpreter.exists():
        made = str(folder / environment.name)
        subprocess.run([find_uv(), "venv", "--quiet", "--python", python, made], check=True)
        command = [find_uv(), "pip", "install", "--quiet", "--python", str(interpreter), *environment.requirements]
        subprocess.run(command, check=True)
    return interpreter


def describe(environment: Environment, interpreter: Path) -> list[str]:
    """Cells of a table: name, packages, those that this project lacks, MB, versions, pins, and `find_conflict`."""
    found: dict[str, Any] = json.loads(
        subprocess.check_output([str(interpreter), "-W", "ignore", "-c", DESCRIBE, environment.package], text=True)
    )
    versions = {normalise(name): number for name, number in found["versions"].items()}
    lacking = versions.keys() - {normalise(each.name) for each in distributions()}
    # Of its extras, those that are installed count.
    extras = re.findall(r"\[(\w+)\]", environment.requirements[0])
    needed = [each for each in found["requires"] if "extra ==" not in each or any(f'"{x}"' in each for x in extras)]
    bounds = [each.split(";")[0].replace(" ", "") for each in needed]
    pins = [each for each in bounds if re.split(r"[^\w-]", each)[0] in SHARED and re.search("==|<", each)]
    if found["python"]:
        pins.insert(0, f"Python{found['python']}")
    return [
        f"{environment.package} {versions[environment.package]}" if environment.package else environment.name,
        str(len(versions)),
        str(len(lacking)),
        f"{found['bytes'] / 1e6:,.0f}",
        ", ".join(f"{name} {versions[name]}" for name in ("numpy", "tensorflow", "torch") if name in versions),
        ", ".join(pins) or "-",
        find_conflict(environment, interpreter),
    ]


def find_conflict(environment: Environment, interpreter: Path) -> str:
    """`yes` if its requirements can be met together with this project's, else uv's reason."""
    command = [find_uv(), "pip", "compile", "--quiet", "--python", str(interpreter), "pyproject.toml", "-"]
    wanted = "\n".join(environment.requirements)
    resolved = subprocess.run(command, cwd=ROOT, input=wanted, capture_output=True, text=True, check=False)
    if resolved.returncode == 0:
        return "yes"
    said = " ".join(resolved.stderr.split())
    reasons = re.findall(r"[Bb]ecause (.+?)(?: and fieldguide depends on [^,]+)?, we can conclude", said)
    return f"no: {'; '.join(reasons) or said[-200:]}"


def find_uv() -> str:
    """The path of uv: the one that is installed, else the one of `make env`."""
    return shutil.which("uv") or str(ROOT / ".uv" / "bin" / "uv")


def normalise(name: str) -> str:
    """A package's name as registries compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()
