"""A params file that has nothing wrong, with its photographs, in a working directory of its own."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fieldguide.preflight.finding import Finding
from fieldguide.preflight.setting import Setting
from fieldguide.presets import expand, set_values, write_params
from tests.images.pictures import blotches, encode

LABELS = ("Aster alpinus", "Rosa canina")

OVERLAY: dict[str, Any] = {
    "templates": {
        "backbone": {"architecture": "test_vit", "image_size": 160, "weights": {"from": "scratch"}},
        "training": {"rank_weights": {"species": 1.0}},
    },
    "fetch": {"sources": {"flora": {"kind": "folders", "roots": ["flora"], "fill": {"licence": "CC0"}}}},
    "split": {"ranks": ["species"], "taxonomy": None, "min_samples": 2, "group_by": []},
    "resize": {"size": 112},
    "train_teacher": {"global": {}},
    "distill_student": {"teachers": {"global": 1.0}, "image_size": 96},
}

Write = Callable[..., Setting]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write the params with some values changed, and read them as a setting."""
    monkeypatch.chdir(tmp_path)
    for place, label in enumerate(LABELS):
        for number in range(4):
            path = Path("flora", label, f"{number}.jpg")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(encode(blotches(10 * place + number, 80, 60)))
    Path("taxonomy.csv").write_text("species,genus\nAster alpinus,Aster\nBellis perennis,Bellis\n")

    def write_changed(*overrides: str) -> Setting:
        params = expand(OVERLAY)
        set_values(params, overrides)
        write_params(params, Path("params.yaml"))
        return Setting.read(Path("params.yaml"))

    return write_changed


def problems(findings: Any) -> list[str]:
    return [finding.text for finding in findings if isinstance(finding, Finding) and finding.is_problem]
