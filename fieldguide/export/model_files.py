"""labels.json, calibration.json and preprocessing.json: what a network's outputs mean, for whoever answers with it.

They lie in the browser bundle and beside the ONNX file; docs/formats.md explains their fields.
"""

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
from pydantic import (
    BaseModel,
    ConfigDict,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    model_validator,
)

from fieldguide.catalogue.taxonomy import OTHER, Lineage, Taxonomy
from fieldguide.errors import ExportError, ParamsError
from fieldguide.evaluate.answer_sets import PENALTY
from fieldguide.evaluate.rules import MOST_PHOTOS, Rules
from fieldguide.files import write_json
from fieldguide.images.geometry import Fill, Method
from fieldguide.learn.description import NetworkSpec
from fieldguide.learn.params import Mean, Std
from fieldguide.records.manifest import SquareStyle


class ModelFile(BaseModel):
    """A small JSON file of a model folder."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def name(cls) -> str:
        """Of the file."""
        return f"{cls.__name__.lower()}.json"

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the file in `folder`. Raises ExportError if it is missing or malformed."""
        path = folder / cls.name()
        try:
            return cls.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            raise ExportError(
                f"{path} is missing; expected a folder that export-tfjs wrote, as models/export"
            ) from None
        except ValidationError as error:
            problem = error.errors()[0]
            raise ExportError(f"{path}: {'.'.join(map(str, problem['loc'])) or 'it'}: {problem['msg']}") from None

    def write(self, folder: Path) -> None:
        """Write the file into `folder`, whole or not at all."""
        write_json(folder / self.name(), self.model_dump(mode="json"))


class Labels(ModelFile):
    """labels.json: ranks in the order of the outputs, their classes, what is above these, and vernacular names."""

    ranks: list[str]
    classes: dict[str, list[str]]
    parents: dict[str, dict[str, Lineage]]
    vernacular: dict[str, str]
    vernaculars: dict[str, dict[str, str]] = {}
    """Of those languages that have names of their own, by ISO 639 code; `vernacular` is for all others."""
    regions: dict[str, list[str]] = {}
    """Classes of the first rank that have training photos in each region."""
    kept: list[str] | None = None
    """Those that may be named, in a guide of some regions; None: all."""

    @model_validator(mode="after")
    def _classes_are_those_of_the_ranks(self) -> Self:
        if not self.ranks or sorted(self.ranks) != sorted(self.classes):
            raise ValueError(f"classes of {sorted(self.classes)}, ranks {self.ranks}; expected the same")
        if lacking := [rank for rank, names in self.classes.items() if OTHER not in names]:
            raise ValueError(f"no class {OTHER!r} at {', '.join(lacking)}")
        return self

    @classmethod
    def of(cls, ranks: Sequence[str], classes: Mapping[str, Sequence[str]], taxonomy: Taxonomy) -> "Labels":
        """Of a network with these ranks and classes."""
        named = {name for names in classes.values() for name in names}
        return cls(
            ranks=list(ranks),
            classes={rank: list(classes[rank]) for rank in ranks},
            parents={
                rank: {name: lineage for name, lineage in taxonomy.parents.get(rank, {}).items() if name in named}
                for rank in ranks
            },
            vernacular={name: common for name, common in taxonomy.vernacular.items() if name in named},
            vernaculars={
                language: {name: common for name, common in names.items() if name in named}
                for language, names in taxonomy.vernaculars.items()
            },
            regions={
                region: [name for name in seen if name in named and name != OTHER]
                for region, seen in taxonomy.regions.items()
            },
        )

    def within(self, regions: Collection[str]) -> "Labels":
        """Those of a guide that names only what was seen in some `regions`, at least one of them.

        A mask says what is possible, not how likely it is: `other` stays, and takes what the model would have named.
        Raises ParamsError for a region without training photos.
        """
        if strange := sorted(set(regions) - set(self.regions)):
            raise ParamsError(f"region {strange[0]!r} has no training photos; expected {', '.join(self.regions)}")
        seen = {name for region in regions for name in self.regions[region]}
        return self.model_copy(update={"kept": [name for name in self.classes[self.ranks[0]] if name in seen]})

    @property
    def left_out(self) -> np.ndarray | None:
        """Which outputs are never named: bool [num_outputs]; None if all are.

        With a class of the first rank go those above it that have no other below.
        """
        if self.kept is None:
            return None
        first, kept = self.ranks[0], {*self.kept, OTHER}
        above = self.parents.get(first, {})
        mask = [name not in kept for name in self.classes[first]]
        for rank in self.ranks[1:]:
            taxa, of_kept = (
                {above.get(name, {}).get(rank) for name in names} for names in (self.classes[first], self.kept)
            )
            mask += [name != OTHER and name in taxa - of_kept for name in self.classes[rank]]
        return np.array(mask)

    @cached_property
    def num_outputs(self) -> int:
        """Classes of all ranks together."""
        return sum(map(len, self.classes.values()))


class Calibration(ModelFile):
    """calibration.json: what makes probabilities of logits, and how sure an answer must be."""

    temperatures: dict[str, PositiveFloat]
    """By rank; 1.0 where it is missing."""
    rules: Rules
    """When it answers, by what it is told: one photo or several, with place and season or without."""
    most_photos: PositiveInt = MOST_PHOTOS
    """Of a subject; the rules of several photos are for no more."""
    max_error: float | None
    """The share of photos that may get a wrong taxon, if it was measured what keeps it."""
    set_target: float | None
    """The share of photos whose short list holds the true class, if that was measured."""
    set_penalty: NonNegativeFloat = PENALTY
    """What each class after the first adds to the probabilities of a short list (evaluate/answer_sets.py)."""
    fusion_exponent: NonNegativeFloat = 0.0
    """Logits of n photos of one subject become their mean times n to this power: 0 is their mean, 1 their sum."""


class Preprocessing(ModelFile):
    """preprocessing.json: what happens to a photo before the model sees it."""

    record_size: int
    """Side of the square that a photo becomes first, as in the training records, px."""
    image_size: int
    """Side of the model's input, px."""
    mean: Mean
    std: Std
    method: Method
    """How a photo becomes a square; never bbox, for nobody draws boxes here."""
    upscale: bool
    """Whether a photo smaller than the square is enlarged."""
    pad_fill: Fill
    """What is in the square where the photo is not."""
    pad_color: tuple[int, int, int]
    """Red, green, blue of the padding, 0 to 255, if `pad_fill` is color."""

    @classmethod
    def of(cls, network: NetworkSpec, style: SquareStyle) -> "Preprocessing":
        """What `network` expects after records of `style`."""
        layout = style.layout
        return cls(
            record_size=layout.size,
            image_size=network.image_size,
            mean=network.mean,
            std=network.std,
            method=layout.method,
            upscale=layout.upscale,
            pad_fill=layout.fill,
            pad_color=layout.color,
        )

    @property
    def style(self) -> SquareStyle:
        """The squares that it makes of photos."""
        return SquareStyle(
            size=self.record_size,
            method=self.method,
            pad_color=self.pad_color,
            quality=100,
            pad_fill=self.pad_fill,
            upscale=self.upscale,
        )
