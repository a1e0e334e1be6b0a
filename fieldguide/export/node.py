"""Runs the JavaScript in web/ with Node: bundling the page, and the model as the browser would run it."""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from fieldguide.errors import ExportError

WEB = Path(__file__).parents[2] / "web"
"""Scripts stay where they are: Node finds node_modules by walking up, from a temporary workspace too."""

Needs = dict[str, list[str]]
"""What of TensorFlow.js goes into a page: names of `kernels`, `functions` and `categories`, as web/trace.mjs finds
them. None stands for all of it."""

ERROR_LINE = re.compile(r"\w*Error(?: \[\w+\])?: |.*\[ERROR\]")


def trace_needs(folders: Sequence[Path]) -> Needs:
    """What the graph models in `folders` need, found by running each once with all of TensorFlow.js.

    Raises ExportError where one uses an operation that TensorFlow.js, or its WebAssembly backend, does not have.
    """
    with tempfile.TemporaryDirectory() as scratch:
        script = Path(scratch) / "trace.cjs"
        build_script("trace.mjs", script, None)
        needs: Needs = json.loads(run_node(script, *map(str, folders)))
    return needs


def build_page(bundle: Path, needs: Needs | None) -> None:
    """Write index.html, app.js and all else that the page needs into `bundle`. Raises ExportError."""
    run_node(_installed("build.mjs"), "page", str(bundle), json.dumps(needs))


def build_script(script: str, out: Path, needs: Needs | None) -> None:
    """Bundle `web/<script>` with the TensorFlow.js that a page would get into one file for Node. Raises ExportError."""
    run_node(_installed("build.mjs"), "node", str(WEB / script), str(out), json.dumps(needs))


def run_node(script: Path, *arguments: str) -> str:
    """Run a script and return what it prints. Raises ExportError with its last line on failure."""
    beside = Path(sys.executable).with_name("node")
    node = str(beside) if beside.is_file() else shutil.which("node")
    if node is None:
        raise ExportError("node is missing; run `uv sync`, which installs it")
    finished = subprocess.run([node, str(script), *arguments], capture_output=True, text=True, check=False)
    if finished.returncode != 0:
        raise ExportError(f"{script.name} failed: {_reason(finished.stderr) or f'exit code {finished.returncode}'}")
    return finished.stdout


def _reason(stderr: str) -> str:
    """The line that says what went wrong, amid Node's source excerpt and stack trace."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    said = [line for line in lines if ERROR_LINE.match(line)]
    return (said or lines or [""])[0]


def _installed(script: str) -> Path:
    """A script of web/ once its packages are installed. Raises ExportError."""
    # An experiment's workspace lies inside the repository and shares its node_modules.
    if not any((above / "node_modules" / "esbuild").is_dir() for above in WEB.parents):
        raise ExportError(f"{WEB.parent / 'node_modules'} is missing; run `npm ci`")
    return WEB / script
