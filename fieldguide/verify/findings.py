"""What a check says: what is wrong with a file, and what else was seen."""

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from fieldguide.errors import RecordError
from fieldguide.verify.places import Place


class Damage(RecordError):  # noqa: N818 - it is what was found, not a failure of the search
    """What is wrong with the bytes that are being read; whoever reads them knows the file."""


class Kind(StrEnum):
    """In which way a file is bad."""

    DAMAGED = "damaged"
    """Its bytes are not what they must be."""
    MISSING = "missing"
    """Another file names it, and it is not there."""
    UNVOUCHED = "unvouched"
    """Nothing says what its bytes must be, and they hold no digests of their own."""


@dataclass(frozen=True, order=True)
class Finding:
    """One bad file and why."""

    place: Place
    kind: Kind
    problem: str

    def __str__(self) -> str:
        said = {Kind.DAMAGED: "is damaged: ", Kind.MISSING: "is missing: ", Kind.UNVOUCHED: ""}[self.kind]
        return f"{self.place.path} {said}{self.problem}" if said else f"{self.place.path}: {self.problem}"


NO_KEYS = np.empty(0, "S16")


@dataclass
class Seen:
    """What one file held."""

    keys: list[bytes] = field(default_factory=list)
    """Of its samples or records; each stands for one photo of the set."""
    num_photos: int = 0
    """That were decoded."""
    is_foreign: bool = False
    """It holds no digests of ours."""


@dataclass
class Report:
    """What the check of one file says."""

    place: Place
    findings: list[Finding] = field(default_factory=list)
    """Of this file, or of one that it was compared with."""
    keys: np.ndarray = field(default_factory=lambda: NO_KEYS)
    """XXH3-128 of the key of each sample or record: bytes [num_samples]."""
    num_bytes: int = 0
    num_photos: int = 0
    is_foreign: bool = False
    """Nothing but its own form says what its bytes must be."""
