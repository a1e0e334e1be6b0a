"""The files of the browser bundle beside the model and the page: what a model means, and what is kept offline."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from fieldguide.errors import ExportError
from fieldguide.export.credits import Example
from fieldguide.export.references import FOLDER
from fieldguide.files import file_sha256, write_json, written_whole
from fieldguide.images.encode import format_of

EXAMPLES = "examples"
FILE_LIST = "bundle.json"
SERVICE_WORKER = "service_worker.js"
DIGEST_PLACE = "written by the export"
"""In the service worker's source, where the digest of the file list goes."""

SELF_TEST_TOLERANCE = 0.02
"""Of the largest logit: kernels round differently from one browser to the next, wrong ones are off by far more."""


@contextmanager
def drafted(bundle: Path) -> Iterator[Path]:
    """Yield an empty directory that replaces `bundle` on success: a bundle that failed its checks is never there."""
    draft = bundle.with_name(f".{bundle.name}.partial")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    try:
        yield draft
        shutil.rmtree(bundle, ignore_errors=True)
        draft.replace(bundle)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def write_self_test(bundle: Path, logits: np.ndarray) -> None:
    """Write selftest.json: the logits [classes] that the page's test square must give on any backend."""
    tolerance = SELF_TEST_TOLERANCE * max(1.0, float(np.abs(logits).max()))
    content = {"logits": [float(f"{logit:.5g}") for logit in logits], "tolerance": float(f"{tolerance:.3g}")}
    write_json(bundle / "selftest.json", content)


def write_examples(bundle: Path, examples: Sequence[Example]) -> None:
    """Write examples.json and the photos it names."""
    entries: list[dict[str, Any]] = []
    for example in examples:
        file = f"{EXAMPLES}/{example.photo_id}.{format_of(example.image).ending}"
        with written_whole(bundle / file) as temporary:
            temporary.write_bytes(example.image)
        credit = {"label": example.label, "licence": example.licence, "rights_holder": example.rights_holder}
        entries.append({"file": file, **credit})
    write_json(bundle / "examples.json", entries)


def write_file_list(bundle: Path) -> None:
    """Write bundle.json, the size and SHA-256 of every other file, and put its own digest into the service worker.

    So one file, the service worker, stands for all others, and changes with any of them. Reference photos are not
    listed: their names, which species.json has, are their digests. Call this last.
    """
    (bundle / FILE_LIST).unlink(missing_ok=True)
    files = sorted(file.relative_to(bundle).as_posix() for file in bundle.rglob("*") if file.is_file())
    entries = {
        file: {"bytes": (bundle / file).stat().st_size, "sha256": file_sha256(bundle / file)}
        for file in files
        if file != SERVICE_WORKER and not file.startswith(f"{FOLDER}/")
    }
    write_json(bundle / FILE_LIST, {"files": entries})
    worker = (bundle / SERVICE_WORKER).read_text(encoding="utf-8")
    if worker.count(DIGEST_PLACE) != 1:
        raise ExportError(f"{SERVICE_WORKER} holds {DIGEST_PLACE!r} {worker.count(DIGEST_PLACE)} times; expected once")
    with written_whole(bundle / SERVICE_WORKER) as temporary:
        temporary.write_text(worker.replace(DIGEST_PLACE, file_sha256(bundle / FILE_LIST)), encoding="utf-8")


def bundle_megabytes(bundle: Path, files: str = "*") -> float:
    """Size of the files with such names, 1e6 bytes; a browser needs less, as it takes one of the .wasm files."""
    return sum(file.stat().st_size for file in bundle.rglob(files) if file.is_file()) / 1e6


def check_size(bundle: Path, max_megabytes: float) -> float:
    """`bundle_megabytes` of the whole bundle. Raises ExportError above `max_megabytes`."""
    megabytes = bundle_megabytes(bundle)
    if megabytes > max_megabytes:
        raise ExportError(f"the bundle takes {megabytes:.2f} MB, at most {max_megabytes:g} MB are allowed")
    return megabytes
