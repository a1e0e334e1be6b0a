"""How common a class is in training: few, medium or many photos, the bins of long-tailed recognition."""

from enum import StrEnum

from fieldguide.split.params import FrequencyParams


class Frequency(StrEnum):
    """Bins by number of training photos."""

    FEW = "few"
    MEDIUM = "medium"
    MANY = "many"


def name_frequency(num_photos: int, frequency: FrequencyParams) -> Frequency:
    """The bin of a class with so many training photos."""
    if num_photos < frequency.few_below:
        return Frequency.FEW
    return Frequency.MANY if num_photos > frequency.many_above else Frequency.MEDIUM
