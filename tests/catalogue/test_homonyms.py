"""One name, several taxa: two classes where nothing is shared, a warning where a table contradicts itself."""

import logging

import pytest

from fieldguide.catalogue.homonyms import tell_homonyms_apart

BIRD = {"genus": "Oenanthe", "family": "Muscicapidae", "kingdom": "Animalia"}
HERB = {"genus": "Oenanthe", "family": "Apiaceae", "kingdom": "Plantae"}
RANKS = ["genus", "family", "kingdom"]


def test_homonym_genera_are_two_classes(caplog: pytest.LogCaptureFixture) -> None:
    lineages = {"Oenanthe oenanthe": BIRD, "Oenanthe crocata": HERB, "Oenanthe sp": {"genus": "Oenanthe"}}
    with caplog.at_level(logging.WARNING):
        told = tell_homonyms_apart(lineages, RANKS, "t.csv")
    assert told == {
        "Oenanthe oenanthe": BIRD | {"genus": "Oenanthe (Muscicapidae)"},
        "Oenanthe crocata": HERB | {"genus": "Oenanthe (Apiaceae)"},
        "Oenanthe sp": {"genus": "Oenanthe"},
    }
    assert "t.csv: the genus Oenanthe stands below the family Apiaceae, the family Muscicapidae" in caplog.text
    assert lineages["Oenanthe oenanthe"] == BIRD


def test_what_agrees_further_up_is_one_taxon_and_told(caplog: pytest.LogCaptureFixture) -> None:
    lineages = {
        "Aster alpinus": {"genus": "Aster", "family": "Asteraceae", "kingdom": "Plantae"},
        "Aster amellus": {"genus": "Aster", "family": "Asteracae", "kingdom": "Plantae"},
    }
    with caplog.at_level(logging.WARNING):
        assert tell_homonyms_apart(lineages, RANKS, "t.csv") == lineages
    assert "all of one kingdom; expected one, the most frequent counts" in caplog.text


@pytest.mark.parametrize(
    "others",
    [
        pytest.param({"genus": "Oenanthe"}, id="nothing known above"),
        pytest.param({"genus": "Aster", "family": "Asteraceae"}, id="another name"),
        pytest.param({"genus": "Oenanthe", "family": "Apiaceae", "group": "flowers"}, id="no true rank"),
    ],
)
def test_nothing_is_told_of_a_sound_table(others: dict[str, str], caplog: pytest.LogCaptureFixture) -> None:
    lineages = {"Oenanthe crocata": {"genus": "Oenanthe", "family": "Apiaceae", "group": "herbs"}, "b": others}
    with caplog.at_level(logging.WARNING):
        assert tell_homonyms_apart(lineages, ["genus", "family", "group"], "t.csv") == lineages
    assert not caplog.text
