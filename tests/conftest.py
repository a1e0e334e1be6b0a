"""What all tests share: no tracking unless a test asks for it, the shared folder, and one built pipeline."""

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


@pytest.hookimpl(tryfirst=True)  # pytest-xdist reads the marks when its turn comes
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Which tests stay together when several processes share the work: those of one file, and all of the built clone.

    The latter come first, since building it takes longest.
    """
    items.sort(key=lambda item: not _needs_built_clone(item))
    for item in items:
        item.add_marker(
            pytest.mark.xdist_group("built" if _needs_built_clone(item) else item.nodeid.partition("::")[0])
        )


def _needs_built_clone(item: pytest.Item) -> bool:
    return "built_clone" in getattr(item, "fixturenames", ())


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
    return build_clone(tmp_path_factory.mktemp("built") / "clone")
