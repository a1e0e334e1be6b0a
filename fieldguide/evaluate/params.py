"""The `evaluate` section of params.yaml."""

from typing import Annotated

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt

from fieldguide.params import Section


class NeighbourParams(Section):
    """How the nearest training photos vote."""

    num: PositiveInt
    """Training photos that vote."""
    temperature: PositiveFloat
    """A vote is exp(cosine / temperature)."""


class FewShotParams(Section):
    """Which examples of the unseen species are given."""

    shots: Annotated[list[PositiveInt], Field(min_length=1)]
    """Example photos of each species."""
    draws: PositiveInt
    """How often examples are drawn; the mean counts."""
    seed: NonNegativeInt
    """Of the draws."""


class EvaluateParams(Section):
    """How answers are counted and shown."""

    max_error: Annotated[float, Field(gt=0, lt=1)]
    """The share of photos that may get a wrong taxon: from it follows how sure an answer must be. In (0, 1)."""
    set_coverage: Annotated[float, Field(gt=0, lt=1)]
    """The share of photos whose short list of likely taxa shall hold the true one, in (0, 1)."""
    max_strange: Annotated[float, Field(ge=0, lt=1)]
    """The share of photos of the guide's own species that may be refused for looking strange, in [0, 1): from it
    follows what is refused of everything else. 0: nothing is."""
    max_prior_kb: PositiveFloat
    """Of what place and season tell of each model's classes, kB of 1000 bytes before packing; where it takes more, it
    is told less finely, and of each class only where and when it is photographed most (prior.py)."""
    ece_bins: PositiveInt
    """Bins of equal width over confidence."""
    batch_size: PositiveInt
    """Photos at once."""
    workers: NonNegativeInt
    """Processes that decode; 0: the stage's own."""
    neighbours: NeighbourParams
    """The vote of the nearest training photos."""
    few_shot: FewShotParams
    """Example photos of each unseen species (split.held_out)."""
    confused_pairs: NonNegativeInt
    """Pairs of classes that each model's part of the report shows."""
    attention_photos: NonNegativeInt
    """Padded test photos on which each plain vision transformer's attention to the padding is measured; 0: none."""
