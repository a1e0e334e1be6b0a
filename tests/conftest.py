"""What all tests share: no tracking unless a test asks for it, the shared folder, and one built pipeline."""

import fcntl
import os
from pathlib import Path

import hypothesis
import pytest

from tests.pipeline.project import ROOT, Project, build_clone

SHARED = ROOT.parent / "shared"

# A busy machine is no failure.
hypothesis.settings.register_profile("fieldguide", deadline=None)
hypothesis.settings.load_profile("fieldguide")

# Stages that tests start would otherwise each spend seconds on MLflow.
os.environ["FIELDGUIDE_TRACKING"] = "off"
# A run of the tests inside a stage's environment must not be taken for that stage.
for variable in ("DVC_ROOT", "DVC_STAGE", "DVC_EXP_NAME", "DVC_EXP_BASELINE_REV", "MLFLOW_TRACKING_URI"):
    os.environ.pop(variable, None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where several processes share the files, one begins by building the clone, and its other users come last."""
    builders = {item.path for item in items if "built_clone" in getattr(item, "fixturenames", ())}
    first = min(builders, default=None)
    items.sort(key=lambda item: 0 if item.path == first else 1 + (item.path in builders))


def _folder(path: Path) -> Path:
    if not path.is_dir():
        pytest.skip(f"{path} is not on this machine")
    return path


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real photographs and metadata that lie beside the repository on some machines."""
    return _folder(SHARED / "data")


@pytest.fixture(scope="session")
def shared_weights() -> Path:
    """Pretrained weights that lie beside the repository on some machines."""
    return _folder(SHARED / "weights")


@pytest.fixture(scope="session")
def built_clone(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A clone of HEAD with every output of the pipeline, shared by all slow tests: clone it, never change it.

    Outputs come from this repository's cache where they are; what is missing is built, which takes minutes.
    """
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return build_clone(tmp_path_factory.mktemp("built") / "clone")
    # Each process has a folder of its own, in one of all.
    folder = tmp_path_factory.getbasetemp().parent / "built"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        if (folder / "whole").exists():
            return Project(folder / "clone")
        project = build_clone(folder / "clone")
        (folder / "whole").touch()
        return project
