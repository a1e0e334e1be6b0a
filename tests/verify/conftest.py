"""One small project, made once for all tests of this folder."""

from pathlib import Path

import pytest

from tests.verify.making import copy_project, make_project


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's root; read only."""
    return make_project(tmp_path_factory.mktemp("project"))


@pytest.fixture
def root(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the project, to damage, and the current folder."""
    monkeypatch.chdir(copy_project(project, tmp_path / "root"))
    return Path()
