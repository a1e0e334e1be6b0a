"""The driver against a server on a real socket: order, batches, projection, nested photos, and no server at all."""

from datetime import UTC, datetime
from typing import Any

import pytest
from bson import ObjectId

from fieldguide.catalogue.sources import MongodbSource
from fieldguide.errors import CatalogueError
from tests.catalogue.mongo_server import serve_documents
from tests.catalogue.observing import COLUMNS, NO_FILL

PLANTS = [
    {
        "_id": ObjectId(f"{number:024x}"),
        "kind": "plant" if number % 2 else "moth",
        "taxon": {"name": f"Aster {number % 3}"},
        "images": [{"url": f"https://a.org/{number}-{i}.jpg", "license": "CC BY"} for i in range(number % 3)],
        "when": datetime(2020, 1, 1, tzinfo=UTC),
        "note": "not asked for",
    }
    for number in reversed(range(30))
]


def source(url: str, **section: Any) -> MongodbSource:
    names = {"id": None, "url": "images.url", "observation_id": "_id", "observer": "when", "label": "taxon.name"}
    settings = {
        "kind": "mongodb",
        "url": url,
        "database": "db",
        "collection": "plants",
        "query": {"kind": "plant"},
        "projection": None,
        "batch_size": 4,
        "read_preference": "secondaryPreferred",
        "columns": dict.fromkeys(COLUMNS) | names | {"licence": "images.license"},
        "explode": "images",
        "root": None,
        "fill": NO_FILL,
    }
    return MongodbSource.model_validate(settings | section)


def test_photos_come_in_the_order_of_ids_and_only_what_is_needed_is_asked_for() -> None:
    with serve_documents({"plants": PLANTS}) as server:
        rows = list(source(server.url).rows())
        find, *more = (command for command in server.commands if next(iter(command)) in ("find", "getMore"))
    wanted = [(number, i) for number in range(1, 30, 2) for i in range(number % 3)]
    assert [row.url for row in rows] == [f"https://a.org/{number}-{i}.jpg" for number, i in wanted]
    assert rows[0].observation_id == f"{1:024x}"
    assert rows[0].observer == "2020-01-01T00:00:00"
    assert (rows[0].label, rows[0].licence, rows[0].source_row) == ("Aster 1", "CC BY", "plants:1[0]")
    assert set(find["projection"]) == {"_id", "images", "taxon", "when"}
    assert find["batchSize"] == 4
    assert find["$readPreference"] == {"mode": "secondaryPreferred"}
    assert len(more) == 3


def test_a_password_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve_documents({"plants": PLANTS[:3]}) as server:
        monkeypatch.setenv("PLANTS_URL", server.url)
        assert len(list(source("$PLANTS_URL", query={}).rows())) == 3


def test_no_server_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fieldguide.catalogue.sources.mongodb.TIMEOUT_MS", 200)
    with pytest.raises(CatalogueError, match=r"^db\.plants cannot be read: 127\.0\.0\.1:1: .*refused") as error:
        list(source("mongodb://127.0.0.1:1/").rows())
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("url", ["mongodb://reader:$SECRET@host:port/", "mongodb://host/$SECRET.$SECRET", "$SECRET"])
def test_a_wrong_address_keeps_its_secret(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "hidden%2Ftoo")
    with pytest.raises(CatalogueError, match=r"^db\.plants cannot be read: ") as error:
        list(source(url).rows())
    assert "hidden" not in str(error.value)


def test_a_broken_document_is_named() -> None:
    with serve_documents({"plants": [{"_id": 5, "kind": "plant", "images": [{"url": None}]}]}) as server:
        with pytest.raises(CatalogueError, match=r"db\.plants, document 5, images\[0\]: column 'images\.url' is empty"):
            list(source(server.url).rows())
        with pytest.raises(CatalogueError, match=r"got the path '1\.jpg'; expected a URL, or `root`"):
            server.collections["plants"] = [{"_id": 5, "kind": "plant", "images": [{"url": "1.jpg"}]}]
            list(source(server.url).rows())
