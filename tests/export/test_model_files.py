"""export/model_files.py: what a model's outputs mean."""

from fieldguide.export.model_files import Labels
from tests.records.making import TAXONOMY


def test_names_by_language_are_those_of_the_classes() -> None:
    names = {"de": {"Linum album": "Weißer Lein", "Aster rarus": "Seltene Aster"}, "nl": {}}
    taxonomy = TAXONOMY.model_copy(update={"vernaculars": names})
    labels = Labels.of(taxonomy.ranks, taxonomy.classes, taxonomy)
    assert labels.vernaculars == {"de": {"Linum album": "Weißer Lein"}, "nl": {}}
