"""A password from the environment is nowhere to be found after DVC has run fetch, whether that went well or not."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from fieldguide.presets import expand, load_overlay, write_params
from tests.pipeline.project import ROOT, Project
from tests.stages.presetting import picture

MARK = "S3cr3t"
SECRETS = {
    "PASSWORD": f"{MARK}%2Fmark",
    "FOLDER": f"{MARK}-folder",
    "ADDRESS": f"postgresql://ada:{MARK}@127.0.0.1:1/db",
}
PIPELINE = """
stages:
  fetch:
    cmd: python -m stages.fetch --data data --out interim/fetch
    params: [fetch]
    outs: [interim/fetch]
    metrics: [metrics/fetch.json: {cache: false}]
"""
SQL = {"kind": "sql", "query": "SELECT * FROM photos ORDER BY id", "columns": {"id": "id", "label": "name"}}
MONGODB = {"kind": "mongodb", "database": "plants", "collection": "photos"}


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A repository with the fetch stage alone, whose records go to a database of its own."""
    root = tmp_path_factory.mktemp("secrets")
    (root / "data").mkdir()
    for number in range(3):
        (root / "data" / f"{number}.jpg").write_bytes(picture(number))
    (root / "dvc.yaml").write_text(PIPELINE, encoding="utf-8")
    tracking = {"FIELDGUIDE_TRACKING": "strict", "MLFLOW_TRACKING_URI": f"sqlite:///{root}/mlflow.db"}
    project = Project(root, {"PYTHONPATH": str(ROOT), **tracking, **SECRETS})
    project.run("git", "init", "--quiet")
    project.run("dvc", "init", "--quiet")
    return project


def run_fetch(repository: Project, source: dict[str, Any]) -> str:
    """What `dvc repro` prints with `source` in the place of the sample's; fails where a secret is shown or kept."""
    params = expand({**load_overlay("sample"), "fetch": {"sources": {"db": source}}})
    write_params({"fetch": params["fetch"]}, repository.root / "params.yaml")
    printed = repository.run("dvc", "repro", check=False)
    assert MARK not in printed
    kept = [str(path) for path in repository.root.rglob("*") if path.is_file() and MARK.encode() in path.read_bytes()]
    assert kept == []
    return printed


@pytest.mark.slow
def test_a_source_that_answers(repository: Project, tmp_path: Path):
    folder = tmp_path / SECRETS["FOLDER"]
    folder.mkdir()
    with closing(sqlite3.connect(folder / "photos.sqlite")) as database, database:
        database.execute("CREATE TABLE photos (id INT, url TEXT, name TEXT)")
        rows = [(number, f"{number}.jpg", "Aster alpinus") for number in range(3)]
        database.executemany("INSERT INTO photos VALUES (?, ?, ?)", rows)
    run_fetch(repository, SQL | {"url": f"sqlite:///{tmp_path}/$FOLDER/photos.sqlite", "root": "data"})
    # That the parameter was recorded is what makes the absence of its value tell something.
    assert "$FOLDER" in (repository.root / "dvc.lock").read_text(encoding="utf-8")
    assert b"$FOLDER" in (repository.root / "mlflow.db").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            SQL | {"url": "postgresql+psycopg://reader:$PASSWORD@127.0.0.1:1/db"},
            "reader:$PASSWORD@127.0.0.1:1/db cannot be read: ",
        ),
        (MONGODB | {"url": "mongodb://reader:$PASSWORD@127.0.0.1:port/"}, "fetch: plants.photos cannot be read: "),
    ],
)
def test_a_source_that_does_not(source: dict[str, Any], message: str, repository: Project):
    assert message in run_fetch(repository, source)
    assert source["url"].encode() in (repository.root / "mlflow.db").read_bytes()
