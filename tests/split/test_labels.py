"""Labels that mean no taxon are told, each with the name that it is most like."""

import logging

import polars as pl
import pytest

from fieldguide.catalogue.taxonomy_table import Taxa
from fieldguide.split.labels import UnknownLabel, find_unknown, settle_labels

TAXA = Taxa({"Aster alpinus": {"genus": "Aster"}, "Bellis perennis": {}}, synonyms={"Bellis minor": "Bellis perennis"})


def test_what_names_no_taxon_is_told_before_it_becomes_other(caplog: pytest.LogCaptureFixture) -> None:
    labels = pl.Series("label", ["Aster alpinus", "Bellis minor", "NA", "NA", "Other", "other", None])
    with caplog.at_level(logging.WARNING):
        settled = settle_labels(labels, TAXA)
    assert settled.to_list() == ["Aster alpinus", "Bellis perennis", "other", "other", "other", "other", "other"]
    assert caplog.messages == [
        "1 photo without a label: taught as `other`",
        "2 photos with the label 'NA', which names no taxon: taught as `other`",
        "1 photo with the label 'Other', which names no taxon: taught as `other`",
    ]
    assert settle_labels(labels, None).to_list()[:3] == ["Aster alpinus", "Bellis minor", "other"]


def test_labels_that_the_taxonomy_lacks_are_named_with_their_nearest(caplog: pytest.LogCaptureFixture) -> None:
    labels = pl.Series("label", ["Aster alpinus", "other", "Aster alpinus L.", "Quercus", "Quercus"])
    with caplog.at_level(logging.WARNING):
        assert find_unknown(labels, TAXA) == [
            UnknownLabel("Quercus", 2, None),
            UnknownLabel("Aster alpinus L.", 1, "Aster alpinus"),
        ]
    assert "'Quercus' (2 photos), 'Aster alpinus L.' (1 photo; nearest is 'Aster alpinus')" in caplog.text


def test_nothing_is_told_of_labels_that_are_known(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert find_unknown(pl.Series("label", ["Aster alpinus"]), TAXA) == []
    assert not caplog.text


def test_a_long_list_is_cut_in_the_log_alone(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert len(find_unknown(pl.Series("label", [f"Z {number}" for number in range(9)]), TAXA)) == 9
    assert caplog.text.rstrip().endswith("and 4 more")
