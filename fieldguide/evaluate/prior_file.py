"""prior.json and prior.bin: a prior as the browser reads it; docs/formats.md has the layout."""

from pathlib import Path
from typing import Final

import numpy as np
from pydantic import BaseModel, ConfigDict, NonNegativeFloat, NonNegativeInt, PositiveFloat, ValidationError

from fieldguide.errors import ExportError
from fieldguide.evaluate.prior import BACKGROUND, FLOOR, PSEUDO, Prior
from fieldguide.files import write_json, written_whole

JSON: Final = "prior.json"
BIN: Final = "prior.bin"


class _Header(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    rank: str
    num_classes: NonNegativeInt
    num_cells: NonNegativeInt
    num_entries: NonNegativeInt
    spread: PositiveFloat
    strength: NonNegativeFloat
    pseudo: float = PSEUDO
    background: float = BACKGROUND
    floor: float = FLOOR


def write_prior(prior: Prior, rank: str, folder: Path) -> None:
    """Write both files into `folder`; `rank` is the one whose classes it is about."""
    starts = np.searchsorted(prior.classes, np.arange(prior.num_classes + 1))
    entries = np.empty(len(prior.counts), [("cell", "<u2"), ("month", "u1"), ("count", "u1")])
    entries["cell"], entries["month"], entries["count"] = prior.cell, prior.month, prior.counts
    with written_whole(folder / BIN) as temporary:
        temporary.write_bytes(prior.cells.astype("<f4").tobytes() + starts.astype("<u4").tobytes() + entries.tobytes())
    header = _Header(
        rank=rank,
        num_classes=prior.num_classes,
        num_cells=len(prior.cells),
        num_entries=len(entries),
        spread=prior.spread,
        strength=prior.strength,
    )
    write_json(folder / JSON, header.model_dump())


def read_prior(folder: Path) -> Prior:
    """The prior in `folder`. Raises ExportError where it is missing or malformed."""
    try:
        header = _Header.model_validate_json((folder / JSON).read_bytes())
        content = (folder / BIN).read_bytes()
    except FileNotFoundError as error:
        raise ExportError(f"{error.filename} is missing; expected what the evaluate stage wrote") from None
    except ValidationError as error:
        problem = error.errors()[0]
        raise ExportError(f"{folder / JSON}: {'.'.join(map(str, problem['loc']))}: {problem['msg']}") from None
    expected = 8 * header.num_cells + 4 * (header.num_classes + 1) + 4 * header.num_entries
    if len(content) != expected:
        raise ExportError(f"{folder / BIN} has {len(content)} bytes; expected {expected}")
    cells = np.frombuffer(content, "<f4", 2 * header.num_cells).reshape(-1, 2)
    starts = np.frombuffer(content, "<u4", header.num_classes + 1, cells.nbytes)
    layout = np.dtype([("cell", "<u2"), ("month", "u1"), ("count", "u1")])
    entries = np.frombuffer(content, layout, header.num_entries, cells.nbytes + starts.nbytes)
    return Prior(
        cells=cells,
        classes=np.repeat(np.arange(header.num_classes), np.diff(starts)),
        cell=entries["cell"].astype(np.int64),
        month=entries["month"].astype(np.int64),
        counts=entries["count"].astype(np.int64),
        num_classes=header.num_classes,
        spread=header.spread,
        strength=header.strength,
    )
