"""Guides on a web server as a browser meets them: in folders, kept by its HTTP cache, replaced by new exports."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fieldguide.evaluate.rules import Rules
from fieldguide.export.bundle import SERVICE_WORKER, write_file_list
from fieldguide.export.node import WEB
from fieldguide.export.packing import pack_files

SERVE = """
import functools, http.server, sys

class Handler(http.server.SimpleHTTPRequestHandler):
    def end_headers(self):
        self.send_header("Cache-Control", "max-age=3600")
        super().end_headers()

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=sys.argv[1]))
print(server.server_port, flush=True)
server.serve_forever()
"""
"""A plain file server on a free port, which it prints. Like many hosts it lets browsers keep everything for an hour."""


RULE = {"thresholds": {"species": 0, "genus": 0}, "set_limit": 1, "num_chosen_by": 50}
ANY = {"measured": {"one": RULE}, "fallback": RULE}
"""Rules by which anything is named."""


class Site:
    """A running web server and the folder that it serves."""

    def __init__(self, root: Path, process: subprocess.Popen[str], port: int) -> None:
        self.root, self._process, self._port = root, process, port

    def address(self, folder: str) -> str:
        """Of a folder of the site, with a slash at its end."""
        return f"http://127.0.0.1:{self._port}/{folder}/"

    def publish(self, bundle: Path, folder: str) -> Path:
        """Replace what is at `folder` by `bundle`, as an upload does: file by file."""
        shutil.copytree(bundle, self.root / folder, dirs_exist_ok=True)
        return self.root / folder

    def stop(self) -> None:
        """Take the server off the network."""
        self._process.terminate()
        self._process.wait()


@contextmanager
def served(root: Path, server: Sequence[str] = (sys.executable, "-c", SERVE)) -> Iterator[Site]:
    """Serve `root` until the block ends. `server` is a command that takes it, prints its port, and serves."""
    root.mkdir(exist_ok=True)
    with subprocess.Popen(
        [*server, str(root)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield Site(root, process, int(process.stdout.readline()))
        finally:
            process.terminate()


def asking(confidence: float) -> dict[str, Any]:
    """What calibration.json says of a model that must be so sure of a taxon at any rank."""
    return {"rules": Rules.unproven(["species", "genus"], confidence).model_dump(mode="json")}


def export_anew(
    bundle: Path, out: Path, changes: dict[str, dict[str, Any]], edit: Callable[[Path], None] = lambda _: None
) -> Path:
    """Write a bundle like `bundle` to `out` whose JSON files have some keys changed, as another export would.

    `edit` may do more to the folder.
    """
    shutil.copytree(bundle, out)
    for file, changed in changes.items():
        content = json.loads((out / file).read_text())
        (out / file).write_text(json.dumps(content | changed))
    edit(out)
    pack_files(out)
    shutil.copyfile(WEB / SERVICE_WORKER, out / SERVICE_WORKER)
    write_file_list(out)
    return out
