"""Puts what data.dvc points to into sample/store, the DVC remote inside this repository.

`dvc push` leaves it alone, as `push: false` in data.dvc asks; this is the one way in.
"""

import json
import shutil
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
CACHE = ROOT / ".dvc" / "cache" / "files" / "md5"
STORE = ROOT / "sample" / "store" / "files" / "md5"


def publish() -> None:
    """Replace the store's objects by the folder listing and the files of data/, as `dvc add data` cached them."""
    pointer = yaml.safe_load((ROOT / "data.dvc").read_text(encoding="utf-8"))
    listing: str = pointer["outs"][0]["md5"]
    entries = json.loads((CACHE / listing[:2] / listing[2:]).read_bytes())
    shutil.rmtree(STORE, ignore_errors=True)
    for digest in (listing, *(entry["md5"] for entry in entries)):
        target = STORE / digest[:2] / digest[2:]
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(CACHE / digest[:2] / digest[2:], target)


if __name__ == "__main__":
    publish()
