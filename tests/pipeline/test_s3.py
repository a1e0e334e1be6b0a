"""Outputs and one's own photographs on S3, with a real endpoint: another clone gets all and has nothing to do."""

import hashlib
import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.project import Project
from tests.s3_server import CREDENTIALS, serve_s3

pytestmark = pytest.mark.slow

BUCKET = "guide"
UP_TO_DATE = "Data and pipelines are up to date."


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with serve_s3() as address:
        yield address


@pytest.fixture(scope="module")
def s3(endpoint: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import boto3

        client = boto3.client("s3", endpoint_url=endpoint)
        client.create_bucket(Bucket=BUCKET)
    return client


def list_keys(s3: Any, prefix: str) -> list[str]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
    return [item["Key"] for page in pages for item in page.get("Contents", [])]


def add_remote(project: Project, endpoint: str, name: str, *options: str) -> None:
    project.run("dvc", "remote", "add", *options, name, f"s3://{BUCKET}/{name}")
    project.run("dvc", "remote", "modify", name, "endpointurl", endpoint)


def test_a_clone_pulls_what_another_pushed_and_has_nothing_to_do(
    built_clone: Project, endpoint: str, s3: Any, tmp_path: Path
):
    writer = built_clone.clone_with_outputs(tmp_path / "writer")
    writer.env.update(CREDENTIALS)
    add_remote(writer, endpoint, "outputs", "--default")
    writer.commit("Keep outputs on S3")
    writer.run("dvc", "push")

    pushed = {key.removeprefix("outputs/files/md5/").replace("/", "") for key in list_keys(s3, "outputs/")}
    locked = (writer.root / "dvc.lock").read_text(encoding="utf-8")
    assert sum(digest in locked for digest in pushed) >= 8
    # The sample comes from its own store; `dvc push` neither copies it nor fills the store.
    sample = json.loads(writer.run("dvc", "ls", "--json", "--recursive", ".", "data"))
    digests = {hashlib.md5((writer.root / "data" / entry["path"]).read_bytes()).hexdigest() for entry in sample}
    assert sample
    assert not digests & pushed
    assert writer.run("git", "status", "--porcelain") == ""

    reader = writer.clone(tmp_path / "reader")
    reader.run("dvc", "pull")
    assert UP_TO_DATE in reader.run("dvc", "repro")
    assert UP_TO_DATE in reader.run("dvc", "status")
    assert reader.run("git", "status", "--porcelain") == ""


def test_own_photographs_come_from_s3(built_clone: Project, endpoint: str, s3: Any, tmp_path: Path):
    project = built_clone.clone_with_outputs(tmp_path / "project")
    project.env.update(CREDENTIALS)
    files = [file for file in sorted((project.root / "data").rglob("*")) if file.is_file()]
    for file in files:
        s3.upload_file(str(file), BUCKET, f"photos/{file.relative_to(project.root / 'data')}")
    add_remote(project, endpoint, "photos")

    project.run("dvc", "remove", "--outs", "data.dvc")
    assert not (project.root / "data").exists()
    project.run("dvc", "import-url", "remote://photos", "data")
    # The same photographs by another way: nothing to do.
    assert UP_TO_DATE in project.run("dvc", "repro", "--dry")

    s3.put_object(Bucket=BUCKET, Key="photos/note.txt", Body=b"one more")
    project.run("dvc", "update", "data.dvc")
    assert (project.root / "data" / "note.txt").read_bytes() == b"one more"
    assert "fetch" in project.run("dvc", "status")
