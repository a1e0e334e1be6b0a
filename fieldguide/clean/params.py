"""The `clean` section of params.yaml."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import Field, PositiveInt

from fieldguide.engine import EngineParams
from fieldguide.params import Section


class QualityParams(Section):
    """What a good photograph is; docs/formats.md says what the numbers mean."""

    min_brightness: Annotated[float, Field(ge=0, le=255)]
    """Mean of the grey photo, 0 (black) to 255; darker ones are dropped."""
    max_brightness: Annotated[float, Field(ge=0, le=255)]
    """Mean of the grey photo, 0 to 255 (white); brighter ones are dropped."""
    min_sharpness: Annotated[float, Field(ge=0)]
    """Variance of the Laplacian; blurrier photos are dropped."""
    min_entropy: Annotated[float, Field(ge=0, le=8)]
    """Entropy of the grey photo, bits a pixel; emptier photos are dropped."""
    drop_framed: bool
    """Whether to drop photos with a frame of one colour on all four sides."""


class OnConflict(StrEnum):
    """What becomes of a picture that stands under several labels."""

    KEEP = "keep"
    """The canonical member keeps its label."""
    KEEP_MAJORITY = "keep_majority"
    """Rows of the most frequent label stay; where two are equally frequent, none does."""
    DROP = "drop"
    """None of its rows stays."""


class Canonical(StrEnum):
    """Which member of a cluster is kept."""

    FIRST = "first"
    """The first in catalogue order."""
    LARGEST = "largest"
    """The one with the most pixels; of these the first."""


class ClusterParams(Section):
    """What counts as the same picture, and what becomes of it; a part of the `clean` section."""

    near_duplicate_distance: Annotated[int, Field(ge=-1, le=127)]
    """Of the 256 bits of a fingerprint (PDQ), those in which near-duplicates differ. Pairs up to here are found, and
    most of those 32 bits beyond where crops lie; their pictures are then compared. -1 switches the search off."""
    drop_near_duplicates: bool
    """If false they stay, but never in two splits."""
    on_conflict: OnConflict
    """A picture under several labels: keep the canonical one's (`keep`), `keep_majority`, or `drop` all of them."""
    canonical: Canonical
    """Of a cluster, keep the `first` in catalogue order or the `largest`, the one with the most pixels."""


class CleanParams(ClusterParams):
    """What a usable photo is."""

    min_side: PositiveInt
    """Shorter side, px; smaller photos are dropped."""
    max_megapixels: Annotated[float, Field(gt=0)]
    """Millions of pixels; more is a decompression bomb and is never decoded."""
    production_only: bool
    """Keep only photos whose licence allows any use."""
    quality: QualityParams
    """Limits of what a good photograph is; with those of presets/base.yaml nothing is dropped."""
    replacements: Path | None
    """A .csv of broken photos and those that stand in for them; null: none."""
    max_failure_rate: Annotated[float, Field(ge=0, le=1)]
    """Share of the photos that may be of no use at all; past it the stage fails."""
    engine: EngineParams
    """Where the shards are worked on."""
