"""Queries of real servers: a PostgreSQL of its own, and a mapping.sqlite as the tree-of-life data sets have."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from pydantic import ValidationError

from fieldguide.catalogue.sources import SqlSource
from fieldguide.errors import CatalogueError
from tests.catalogue.observing import COLUMNS, NO_FILL
from tests.catalogue.postgres import serve_postgres

EOL = """SELECT evobio10m_id AS id, 'eol/' || content_id || '_' || page_id || '.jpg' AS link, page_id AS name,
         CASE is_val WHEN 1 THEN 'val' ELSE 'train' END AS part
         FROM eol JOIN split USING (evobio10m_id) ORDER BY evobio10m_id"""


def source(url: str, query: str = "SELECT * FROM photos ORDER BY id", **section: Any) -> SqlSource:
    names = dict.fromkeys(COLUMNS) | {"id": "id", "url": "link", "label": "name"}
    settings = {"kind": "sql", "url": url, "query": query, "columns": names, "root": None, "batch_size": 2}
    return SqlSource.model_validate({**settings, "fill": NO_FILL, **section})


def test_the_mapping_of_the_tree_of_life(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "mapping.sqlite") as database:
        database.executescript(
            "CREATE TABLE eol (content_id INT, page_id INT, evobio10m_id TEXT PRIMARY KEY);"
            "CREATE TABLE split (evobio10m_id TEXT PRIMARY KEY, is_val INT, is_train_small INT);"
            "INSERT INTO eol VALUES (10, 1, 'b'), (11, 2, 'a'), (12, 2, 'c');"
            "INSERT INTO split VALUES ('a', 0, 1), ('b', 1, 0), ('c', 0, 0);"
        )
    database.close()
    columns = dict.fromkeys(COLUMNS) | {"id": "id", "url": "link", "label": "name", "given_split": "part"}
    rows = list(source(f"sqlite:///{tmp_path}/mapping.sqlite", EOL, columns=columns, root=tmp_path).rows())
    assert [(row.id, row.url, row.label, row.given_split, row.source_row) for row in rows] == [
        ("a", f"file:{tmp_path}/eol/11_2.jpg", "2", "train", "query:1"),
        ("b", f"file:{tmp_path}/eol/10_1.jpg", "1", "val", "query:2"),
        ("c", f"file:{tmp_path}/eol/12_2.jpg", "2", "train", "query:3"),
    ]
    assert rows[0].root == str(tmp_path)


@pytest.mark.slow
def test_postgresql(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOBODYS_PASSWORD", "secret")
    with serve_postgres() as url:
        engine = sqlalchemy.create_engine(url)
        with engine.begin() as connection:
            connection.execute(sqlalchemy.text("CREATE TABLE photos (id uuid, link text, name text, lat numeric)"))
            for number in range(5):
                values = {"id": f"{5 - number:032x}", "link": f"https://a.org/{number}.jpg", "lat": 50 + number / 10}
                statement = "INSERT INTO photos VALUES (:id, :link, 'Aster alpinus', :lat)"
                connection.execute(sqlalchemy.text(statement), values)
        engine.dispose()
        columns = dict.fromkeys(COLUMNS) | {"id": "id", "url": "link", "label": "name", "latitude": "lat"}
        rows = list(source(url, columns=columns).rows())
        assert [row.url for row in rows] == [f"https://a.org/{number}.jpg" for number in reversed(range(5))]
        assert (rows[0].id, rows[0].latitude) == ("00000000-0000-0000-0000-000000000001", 50.4)
        with pytest.raises(CatalogueError, match=r'reader:\$NOBODYS_PASSWORD@.*relation "nothing" does not exist'):
            list(source(url, "SELECT * FROM nothing ORDER BY 1").rows())
        with pytest.raises(CatalogueError, match=r"the query: no column 'link'; it has 'id'"):
            list(source(url, "SELECT id, name FROM photos ORDER BY 1").rows())


def test_a_query_without_order_is_refused() -> None:
    with pytest.raises(ValidationError, match="the query has no ORDER BY"):
        source("sqlite://", "SELECT * FROM photos")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("sqlite:///nowhere.sqlite", r"nowhere\.sqlite is missing"),
        ("no url", "no url cannot be read: .*expected a SQLAlchemy URL"),
        ("nothing://host/db", "expected a SQLAlchemy URL"),
        ("postgresql+psycopg://reader:hidden@127.0.0.1:1/db", r"reader:\*\*\*@127.*refused"),
        ("postgresql+psycopg://reader:$SECRET@127.0.0.1:1/db", r"reader:\$SECRET@127.*refused"),
        ("postgresql+psycopg://reader@$SECRET:port/db", "expected a SQLAlchemy URL"),
        ("postgresql+psycopg://reader@127.0.0.1:1/db?options=$SECRET", "refused"),
        ("sqlite:////absent/$SECRET/photos.sqlite", r"/absent/\*\*\*/photos\.sqlite is missing"),
    ],
)
def test_no_database_is_one_line(url: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "hidden%2Ftoo")
    with pytest.raises(CatalogueError, match=message) as error:
        list(source(url).rows())
    assert "\n" not in str(error.value)
    assert "hidden" not in str(error.value)


def test_a_path_needs_a_root(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "p.sqlite") as database:
        database.executescript("CREATE TABLE photos (id, link, name); INSERT INTO photos VALUES (1, 'a.jpg', 'x');")
    database.close()
    with pytest.raises(CatalogueError, match=r"p\.sqlite, row 1 of the query: got the path 'a\.jpg'; expected a URL"):
        list(source(f"sqlite:///{tmp_path}/p.sqlite").rows())
