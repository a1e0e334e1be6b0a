"""One place for all runs of a repository, whatever its path holds and wherever it is moved."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from fieldguide.track.address import artifact_location, is_own, rehome, tracking_uri


@pytest.mark.parametrize(
    ("given", "uri"),
    [
        ("", "sqlite:////home/me/guide/mlflow.db"),
        ("sqlite:///runs.db", "sqlite:////home/me/guide/runs.db"),
        ("sqlite:///../runs.db", "sqlite:////home/me/guide/../runs.db"),
        ("sqlite:////abs/runs.db", "sqlite:////abs/runs.db"),
        ("mlruns", "file:///home/me/guide/mlruns"),
        ("./my runs", "file:///home/me/guide/my%20runs"),
        ("file:mlruns", "file:///home/me/guide/mlruns"),
        ("file:///abs/mlruns", "file:///abs/mlruns"),
        ("/abs/mlruns", "file:///abs/mlruns"),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000"),
        ("postgresql://me@host/runs", "postgresql://me@host/runs"),
        ("databricks", "databricks"),
    ],
)
def test_relative_places_start_at_the_repository(monkeypatch, given: str, uri: str):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", given)
    assert tracking_uri(Path("/home/me/guide")) == uri


@pytest.mark.parametrize("name", ["50%25", "why?", "a#b"])
def test_a_path_that_no_url_can_hold_is_reached_by_a_link(tmp_path: Path, name: str):
    root = tmp_path / name
    root.mkdir()
    link = Path(tracking_uri(root).removeprefix("sqlite:///")).parent
    assert link.resolve() == root
    assert not set("%?#") & set(str(link))


def test_files_lie_beside_the_database(tmp_path: Path):
    assert artifact_location("sqlite:////x/mlflow.db", tmp_path) == f"file://{tmp_path}/mlartifacts"
    assert artifact_location("http://127.0.0.1:5000", tmp_path) is None


def test_a_moved_database_is_told_where_it_is(tmp_path: Path):
    old, new = "file:///old/guide_1/mlartifacts", "file:///new/mlartifacts"
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as database, database:
        database.execute("CREATE TABLE experiments (artifact_location)")
        database.execute("CREATE TABLE runs (artifact_uri)")
        database.executemany("INSERT INTO experiments VALUES (?)", [(old,), ("/elsewhere",)])
        others = ["file:///old/guideX1/mlartifacts/2/artifacts", "s3://bucket/3"]
        database.executemany("INSERT INTO runs VALUES (?)", [(f"{old}/1/artifacts",), *((uri,) for uri in others)])
    assert is_own(tmp_path)
    rehome(tmp_path, old, new)
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as database:
        assert [row[0] for row in database.execute("SELECT * FROM experiments")] == [new, "/elsewhere"]
        assert [row[0] for row in database.execute("SELECT * FROM runs")] == [f"{new}/1/artifacts", *others]
