"""How common a class is in training: the three bins in which long-tailed recognition is reported (few, some, many)."""

from enum import StrEnum

from pydantic import PositiveInt

from fieldguide.params import Section


class Frequency(StrEnum):
    """Bins by number of training photos."""

    FEW = "few"
    SOME = "some"
    MANY = "many"


class FrequencyParams(Section):
    """Where a species stops being rare and starts being common."""

    few_below: PositiveInt
    """Fewer training photos are `few`."""
    many_above: PositiveInt
    """More training photos are `many`; `some` lies between, both ends included."""


def name_frequency(num_photos: int, frequency: FrequencyParams) -> Frequency:
    """The bin of a class with so many training photos."""
    if num_photos < frequency.few_below:
        return Frequency.FEW
    return Frequency.MANY if num_photos > frequency.many_above else Frequency.SOME
