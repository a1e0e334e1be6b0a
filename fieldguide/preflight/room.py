"""Whether disk and memory suffice: estimates from the number of photos and their sizes."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean

import psutil

from fieldguide.fetch.limits import StoreKind
from fieldguide.preflight.data import UNREAD
from fieldguide.preflight.finding import Finding, note, problem
from fieldguide.preflight.setting import Setting

USUAL_BYTES = 500_000
"""Of a photo behind a URL."""
BYTES_PER_PIXEL = 0.45
"""Of a record's JPEG; measured on photographs at quality 92."""
VIEW_BYTES = 2_000
"""What is kept of a view of a photo that a teacher looked at."""
FIXED_BYTES = 1.5e9
"""Networks, checkpoints, MLflow, reports."""
BYTES_PER_ROW = 700
"""Of memory that clean and split take for each photo; measured at ten million."""
FRAMEWORK_BYTES = 3e9
"""Of memory that a training or a conversion takes."""


def check_disk(setting: Setting) -> Iterator[Finding]:
    """The file system of the working directory holds what all stages write."""
    if not setting.counted or not setting.fetch or not setting.resize:
        yield UNREAD
        return
    num_photos = sum(tally.num_rows for tally in setting.counted)
    sizes = [size for headers in setting.headers.values() for size in headers.num_bytes]
    photo = fmean(sizes) if sizes else USUAL_BYTES
    kept = num_photos * photo if setting.fetch.store is StoreKind.SHARDS else setting.fetch.cache_bytes
    records = 2 * num_photos * setting.resize.size**2 * BYTES_PER_PIXEL
    views = num_photos * VIEW_BYTES * (setting.student.views if setting.student else 0)
    needed = kept + records + views + FIXED_BYTES
    free = shutil.disk_usage(Path()).free
    least = "" if setting.is_whole else " at least"
    text = f"{needed / 1e9:,.1f} GB{least} of {free / 1e9:,.0f} GB that are free"
    yield note(text) if needed < free else problem(f"{text}; fetch.max_side and fetch.store: stream need less")


def check_memory(setting: Setting) -> Iterator[Finding]:
    """This machine has the memory that the largest stage takes."""
    num_photos = sum(tally.num_rows for tally in setting.counted)
    needed = max(FRAMEWORK_BYTES, 1e9 + num_photos * BYTES_PER_ROW)
    total = psutil.virtual_memory().total
    text = f"about {needed / 1e9:,.0f} GB of {total / 1e9:,.0f} GB"
    yield note(text) if needed < total else problem(text)
