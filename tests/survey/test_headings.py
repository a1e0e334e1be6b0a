"""The rows are the specification: a table's columns with what stands in them, and which of ours they are."""

from typing import Any

import pytest

from fieldguide.catalogue.sources.columns import Columns
from fieldguide.survey.headings import HEADINGS, match_headings

NAMES = ["Aster alpinus", "Aster alpinus", "Bellis perennis"]
FILES = ["a.jpg", "b.jpg", "c.jpg"]
URLS = ["https://a.org/1", "https://a.org/2", "https://a.org/3"]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        pytest.param({"filename": FILES, "label": NAMES}, {"url": "filename", "label": "label"}, id="Kaggle"),
        pytest.param({"id": FILES, "breed": NAMES}, {"url": "id", "label": "breed"}, id="the id is the file"),
        pytest.param(
            {"path": FILES, "label": NAMES, "coarse_label": NAMES, "split_in_repo": ["train", "train", "test"]},
            {"url": "path", "label": "label", "given_split": "split_in_repo"},
            id="a word in a longer name",
        ),
        pytest.param(
            {
                "gbifID": [1, 1, 2],
                "identifier": URLS,
                "scientificName": NAMES,
                "license": ["CC0", "http://c.org"],
                "decimalLatitude": ["1.5", "2"],
                "decimalLongitude": ["-170", "3"],
                "recordedBy": ["Ada", "Jo"],
                "rightsHolder": ["Ada"],
                "countryCode": ["NO"],
            },
            {
                "observation_id": "gbifID",
                "url": "identifier",
                "label": "scientificName",
                "licence": "license",
                "latitude": "decimalLatitude",
                "longitude": "decimalLongitude",
                "observer": "recordedBy",
                "rights_holder": "rightsHolder",
                "country": "countryCode",
            },
            id="Darwin Core",
        ),
        pytest.param(
            {"photo_id": [1, 2, 3], "photos.url": URLS, "taxon.name": NAMES, "taxon.rank": ["species"] * 3},
            {"id": "photo_id", "url": "photos.url", "label": "taxon.name"},
            id="nested records",
        ),
        pytest.param(
            {"image": FILES, "species": NAMES, "label": [0, 0, 1]},
            {"url": "image", "label": "species"},
            id="a name is better than a number",
        ),
        pytest.param({"image": FILES, "label": [0, 0, 1]}, {"url": "image", "label": "label"}, id="numbers"),
        pytest.param({"Image Path": FILES, "Class": NAMES}, {"url": "Image Path", "label": "Class"}, id="case"),
        pytest.param({"url": ["n/a", "none"], "file": FILES}, {"url": "file"}, id="cells that are no addresses"),
        pytest.param({"id": [1, 1, 2], "url": URLS}, {"url": "url"}, id="an id that repeats"),
        pytest.param({"url": URLS, "split": ["a", "b"]}, {"url": "url"}, id="another sort of split"),
        pytest.param({"url": URLS, "lat": ["95"], "lon": ["5"]}, {"url": "url", "longitude": "lon"}, id="no latitude"),
        pytest.param(
            {"url": URLS, "bbox": [[1, 2, 3, 4], "1 2 3 4"], "width": [640], "image_height": ["480"]},
            {"url": "url", "box": "bbox", "width": "width", "height": "image_height"},
            id="boxes",
        ),
        pytest.param({"url": URLS, "width": [640], "height": [480]}, {"url": "url"}, id="a size without a box"),
        pytest.param({"url": URLS, "box": ["a", "b"]}, {"url": "url"}, id="another sort of box"),
        pytest.param({"url": URLS, "title": NAMES, "x": []}, {"url": "url"}, id="nothing else"),
    ],
)
def test_columns_are_known_by_name_and_content(columns: dict[str, list[Any]], expected: dict[str, str]):
    found = match_headings(columns)
    assert {ours: theirs for ours, theirs in found.items() if theirs} == expected


def test_a_column_of_as_many_values_as_rows_is_no_label():
    names = [f"IMG {number}" for number in range(50)]
    assert match_headings({"name": names})["label"] is None
    assert match_headings({"name": [*names, "IMG 1"]})["label"] == "name"


def test_every_column_of_ours_has_its_headings():
    assert {heading.ours for heading in HEADINGS} == set(Columns.model_fields)
