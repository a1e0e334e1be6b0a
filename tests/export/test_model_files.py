"""What a network's outputs mean: a guide of some regions names what was seen there; names by language."""

import pytest

from fieldguide.errors import ParamsError
from fieldguide.export.model_files import Labels
from tests.records.making import TAXONOMY

RANKS = ["species", "genus"]
LABELS = Labels.of(RANKS, TAXONOMY.classes, TAXONOMY)


def named(labels: Labels) -> dict[str, list[str]]:
    """What is not left out, by rank."""
    left_out = labels.left_out
    outputs = [(rank, name) for rank in labels.ranks for name in labels.classes[rank]]
    kept = outputs if left_out is None else [each for each, gone in zip(outputs, left_out, strict=True) if not gone]
    return {rank: [name for of, name in kept if of == rank] for rank in labels.ranks}


def test_all_is_named_unless_regions_are_asked_for() -> None:
    assert LABELS.kept is None
    assert named(LABELS) == TAXONOMY.classes
    assert LABELS.regions == {"north": ["Aster alpinus", "Linum album"]}


@pytest.mark.parametrize(
    ("regions", "species", "genera"),
    [
        (["north"], ["Aster alpinus", "Linum album"], ["Aster", "Linum"]),
        (["south"], ["Linum album"], ["Linum"]),
        (["north", "south"], ["Aster alpinus", "Linum album"], ["Aster", "Linum"]),
        (["sea"], [], []),
    ],
)
def test_a_region_names_what_was_seen_there_and_what_is_above_it(
    regions: list[str], species: list[str], genera: list[str]
) -> None:
    labels = LABELS.model_copy(update={"regions": {**LABELS.regions, "south": ["Linum album"], "sea": []}})
    assert named(labels.within(regions)) == {"species": ["other", *species], "genus": ["other", *genera]}


def test_a_taxon_of_which_no_species_is_a_class_stays() -> None:
    labels = LABELS.model_copy(
        update={"classes": {**LABELS.classes, "genus": ["other", "Aster", "Linum", "Rosa"]}, "regions": {"sea": []}}
    )
    assert named(labels.within(["sea"])) == {"species": ["other"], "genus": ["other", "Rosa"]}


def test_a_region_without_training_photos_is_refused() -> None:
    with pytest.raises(ParamsError, match=r"^region 'moon' has no training photos; expected north$"):
        LABELS.within(["north", "moon"])


def test_names_by_language_are_those_of_the_classes() -> None:
    names = {"de": {"Linum album": "Weißer Lein", "Aster rarus": "Seltene Aster"}, "nl": {}}
    taxonomy = TAXONOMY.model_copy(update={"vernaculars": names})
    labels = Labels.of(taxonomy.ranks, taxonomy.classes, taxonomy)
    assert labels.vernaculars == {"de": {"Linum album": "Weißer Lein"}, "nl": {}}
