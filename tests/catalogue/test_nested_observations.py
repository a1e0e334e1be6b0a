"""Records with several photos, and names within names."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fieldguide.catalogue.sources import ObservationsSource
from fieldguide.errors import CatalogueError
from tests.catalogue.observing import COLUMNS, NO_FILL

NESTED = [
    {"id": 7, "who": "Ada", "taxon": {"name": "Aster alpinus"}, "photos": [{"link": "1.jpg"}, {"link": "2.jpg"}]},
    {"id": 8, "taxon": {"name": "Bellis perennis"}, "photos": []},
    {"id": 9, "photos": ["3.jpg"], "taxon": {}},
]


def nested(path: Path, **columns: str | None) -> ObservationsSource:
    names = dict.fromkeys(COLUMNS) | {"id": "id", "url": "photos.link", "label": "taxon.name", "observation_id": "id"}
    section = {"kind": "observations", "path": path, "root": None, "columns": names | columns, "explode": "photos"}
    return ObservationsSource.model_validate({**section, "fill": NO_FILL})


@pytest.mark.parametrize("write", ["jsonl", "parquet"])
def test_a_record_with_several_photos_is_several_rows(tmp_path: Path, write: str) -> None:
    path = tmp_path / f"o.{write}"
    if write == "jsonl":
        path.write_text("".join(json.dumps(record) + "\n" for record in NESTED[:2]))
    else:
        pq.write_table(pa.Table.from_pylist(NESTED[:2]), path)
    rows = list(nested(path).rows())
    assert [(row.id, row.label, row.observation_id, row.url) for row in rows] == [
        ("7/0", "Aster alpinus", "7", f"file:{tmp_path}/1.jpg"),
        ("7/1", "Aster alpinus", "7", f"file:{tmp_path}/2.jpg"),
    ]
    assert rows[1].source_row == f"o.{write}:1[1]"


def test_a_list_of_plain_urls_is_exploded_too(tmp_path: Path) -> None:
    path = tmp_path / "o.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in NESTED[2:]))
    (row,) = nested(path, url="photos", id="photos").rows()
    assert (row.id, row.observation_id, row.label) == ("3.jpg", "9", None)
    for photos, message in (
        ("3.jpg", r"line 1, photos: got a str; expected a list"),
        ([{"link": None}], r"line 1, photos\[0\]: column 'photos.link' is empty"),
    ):
        path.write_text(json.dumps({"id": 1, "photos": photos, "taxon": {}}))
        with pytest.raises(CatalogueError, match=message):
            list(nested(path).rows())
