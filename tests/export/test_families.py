"""Small networks of every family that can be a student, from timm to the browser's runtime, with random weights."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fieldguide.engine import run_isolated
from fieldguide.export.node import build_script, run_node, trace_needs
from fieldguide.export.params import Limits
from fieldguide.export.parity import check_agreements, compare
from tests.export.making import Outcome, export_network, run_everywhere, run_onnx

pytestmark = pytest.mark.slow

SIZE = 64

FAMILIES: dict[str, dict[str, int]] = {
    "mobilenetv2_050": {},
    "mobilenetv3_small_050": {},
    "mobilenetv4_conv_small_035": {},
    "efficientnet_b0": {},
    "resnet10t": {},
    "regnety_002": {},
    "convnext_atto": {},
    "efficientvit_b0": {},
    "efficientvit_m0": {},
    "ghostnet_050": {},
    "ghostnetv2_100": {},
    "repvgg_a0": {},
    "mobileone_s0": {},
    "edgenext_xx_small": {},
    "vit_tiny_patch16_224": {"img_size": SIZE},
    "deit_tiny_patch16_224": {"img_size": SIZE},
}
"""timm's name, and arguments that it needs for so small an image."""

STRICT = Limits(min_top1_agreement=1.0, max_logit_error=0.001)
"""What the presets ask of ONNX Runtime and TensorFlow; with float32 weights the browser's runtime can keep it too."""

IMAGES = np.random.default_rng(7).normal(size=(3, SIZE, SIZE, 3)).astype(np.float32)


def export_all(root: Path) -> dict[str, np.ndarray]:
    """PyTorch's own logits by network. Isolate this."""
    return {name: export_network(name, arguments, root / name, IMAGES) for name, arguments in FAMILIES.items()}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("families")


@pytest.fixture(scope="module")
def reference(root: Path) -> dict[str, np.ndarray]:
    return run_isolated(export_all, root)


@pytest.fixture(scope="module")
def outcome(root: Path, reference: dict[str, np.ndarray]) -> Outcome:
    return run_isolated(run_everywhere, [(root / name / "student.onnx", IMAGES, root / name) for name in FAMILIES], [])


@pytest.fixture(scope="module")
def by_tensorflow_js(root: Path, outcome: Outcome) -> dict[str, dict[str, Any]]:
    image = IMAGES.ravel().tolist()
    jobs = [{"name": name, "folder": str(root / name), "shape": IMAGES.shape, "image": image} for name in FAMILIES]
    (root / "jobs.json").write_text(json.dumps(jobs))
    build_script("../tests/export/run_models.mjs", root / "run.cjs", trace_needs([root / name for name in FAMILIES]))
    run_node(root / "run.cjs", str(root / "jobs.json"), str(root / "answers.json"), "wasm")
    answers: dict[str, dict[str, Any]] = json.loads((root / "answers.json").read_text())
    return answers


@pytest.mark.parametrize("name", FAMILIES)
def test_all_runtimes_agree(
    name: str,
    root: Path,
    reference: dict[str, np.ndarray],
    outcome: Outcome,
    by_tensorflow_js: dict[str, dict[str, Any]],
) -> None:
    logits = reference[name]
    assert np.ptp(logits, axis=0).max() > 1e-3, "its answers do not depend on the image"
    in_browser = by_tensorflow_js[name]["wasm"]
    assert isinstance(in_browser, list), in_browser
    answers = {
        "onnxruntime": run_onnx(root / name / "student.onnx", IMAGES),
        "tensorflow": outcome.answers[list(FAMILIES).index(name)],
        "tfjs_node": np.array(in_browser, np.float32).reshape(logits.shape),
    }
    # Random weights answer with logits of any size; the limits are for those of a trained network.
    scale = max(1.0, float(np.abs(logits).max()))
    found = {
        runtime: compare(logits / scale, each / scale, logits.shape[1], 0.001) for runtime, each in answers.items()
    }
    check_agreements(found, dict.fromkeys(answers, STRICT))
