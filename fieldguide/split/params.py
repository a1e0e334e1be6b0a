"""The `split` section of params.yaml."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from fieldguide.catalogue.splits import DRAWN, Split
from fieldguide.catalogue.taxonomy_table import TaxonomyTable
from fieldguide.params import Section

Ratio = Annotated[float, Field(ge=0, le=1)]


class FrequencyParams(Section):
    """Where a species stops being rare and starts being common."""

    few_below: PositiveInt
    """Training photos; a class with fewer is one of `few`."""
    many_above: PositiveInt
    """Training photos; a class with more is one of `many`; `medium` lies between, both ends included."""

    @model_validator(mode="after")
    def _bins_do_not_overlap(self) -> "FrequencyParams":
        if self.few_below > self.many_above + 1:
            raise ValueError(f"few_below {self.few_below} is above many_above {self.many_above}; expected it below")
        return self


class HeldOutParams(Section):
    """What is kept from training."""

    unseen_fraction: Annotated[float, Field(ge=0, lt=1)]
    """Share of the species to hold out altogether, drawn by a salted hash of their names."""
    unseen: Path | None
    """A text file of further species to hold out, one a line; null: none."""
    seen: Path | None
    """A text file of photos to hold out, one a line: the id in the source, photo_id, SHA-256 or URL; null: none."""
    blank: list[str]
    """Labels of photos that show no organism: all of them are held out, to see how often they are given a name."""


class SplitParams(Section):
    """How photos are divided and which taxa become classes."""

    ranks: Annotated[list[str], Field(min_length=1)]
    """Columns of the taxonomy; the first is the one to classify first of all."""
    taxonomy: TaxonomyTable | None
    """The table of species and their higher ranks; null: every label is a class of its own."""
    min_samples: NonNegativeInt
    """Photos; a species with fewer becomes `other`, its genus and family stay."""
    ratios: dict[Split, Ratio]
    """Share of the photos in train, val and test; together 1."""
    min_eval_photos: NonNegativeInt
    """Photos of every class in val and in test at least; above 0, new photos may move some of a class that is short."""
    salt: str
    """Another one gives another draw."""
    group_by: list[str]
    """Columns of the catalogue whose equal values stay in one split; near-duplicates always do."""
    given: str | None
    """A catalogue column (given_split) with the source's own split; a split that it lacks is drawn from train."""
    held_out: HeldOutParams
    """Species and photos that nothing trains on."""
    class_cap: PositiveInt | None
    """Training photos of one species at most; null: all."""
    train_small: Ratio
    """Share of the training photos to mark for quick trials."""
    frequency: FrequencyParams
    """Which classes reports call few, medium and many; nothing that is trained depends on it."""

    @model_validator(mode="after")
    def _ratios_are_a_whole(self) -> "SplitParams":
        if set(self.ratios) != set(DRAWN) or abs(sum(self.ratios.values()) - 1) > 1e-9:
            got = {str(part): share for part, share in self.ratios.items()}
            raise ValueError(f"ratios must name train, val and test and sum to 1; got {got}")
        if self.given and self.min_eval_photos:
            raise ValueError("min_eval_photos moves photos between splits; expected 0 with a split that is given")
        return self
