"""Every ONNX operator that a student may use, against ONNX Runtime: in TensorFlow, and in TensorFlow.js in Node."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fieldguide.engine import run_isolated
from fieldguide.errors import ExportError
from fieldguide.export.node import build_script, run_node, trace_needs
from tests.export.making import Outcome, run_everywhere, run_onnx
from tests.export.operator_cases import CASES, FLAT_CASES, REFUSED, write_case
from tests.export.operator_chains import CHAINS, write_chain

pytestmark = pytest.mark.slow

BACKENDS = ("wasm", "cpu")
Written = dict[str, tuple[Path, np.ndarray]]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("operators")


@pytest.fixture(scope="module")
def written(root: Path) -> Written:
    networks = {name: write_case(root, name, case) for name, case in CASES.items()}
    networks |= {name: write_case(root, name, case, flat=True) for name, case in FLAT_CASES.items()}
    return networks | {name: write_chain(root, name, chain) for name, chain in CHAINS.items()}


@pytest.fixture(scope="module")
def outcome(root: Path, written: Written) -> Outcome:
    # One process for all of it: TensorFlow takes longer to load than to do this.
    refused = [write_case(root, name, case)[0] for name, (case, _) in REFUSED.items()]
    cases = []
    for name, (path, images) in written.items():
        out = root / name
        out.mkdir()
        cases.append((path, images, out))
    return run_isolated(run_everywhere, cases, refused)


@pytest.fixture(scope="module")
def by_tensorflow(written: Written, outcome: Outcome) -> dict[str, np.ndarray]:
    return dict(zip(written, outcome.answers, strict=True))


@pytest.fixture(scope="module")
def by_tensorflow_js(root: Path, written: Written, outcome: Outcome) -> dict[str, dict[str, Any]]:
    jobs = [
        {"name": name, "folder": str(root / name), "shape": images.shape, "image": images.ravel().tolist()}
        for name, (_, images) in written.items()
    ]
    (root / "jobs.json").write_text(json.dumps(jobs))
    # Both backends get what the traces say, as the page does, so a kernel that they miss is missed here.
    needs = trace_needs([root / name for name in written])
    build_script("../tests/export/run_models.mjs", root / "run.cjs", needs)
    run_node(root / "run.cjs", str(root / "jobs.json"), str(root / "answers.json"), *BACKENDS)
    answers: dict[str, dict[str, Any]] = json.loads((root / "answers.json").read_text())
    return answers


def test_every_operator_has_a_case(outcome: Outcome) -> None:
    tried = {case.operator for case in (*CASES.values(), *FLAT_CASES.values())}
    tried |= {operator for chain in CHAINS.values() for operator, *_ in chain}
    assert tried - {"Shape", "Transpose"} == outcome.operators


def test_a_change_of_names_is_no_transposition(root: Path, outcome: Outcome) -> None:
    nodes = json.loads((root / "channels last and back" / "model.json").read_text())["modelTopology"]["node"]
    # The one is the Flatten's that every case ends in.
    assert sum(node["op"] == "Transpose" for node in nodes) == 1


@pytest.mark.parametrize("name", [*CASES, *FLAT_CASES, *CHAINS])
def test_tensorflow_answers_as_onnx_runtime(name: str, written: Written, by_tensorflow: dict[str, np.ndarray]) -> None:
    path, images = written[name]
    np.testing.assert_allclose(by_tensorflow[name], run_onnx(path, images), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", [*CASES, *FLAT_CASES, *CHAINS])
def test_tensorflow_js_answers_as_onnx_runtime(
    name: str, backend: str, written: Written, by_tensorflow_js: dict[str, dict[str, Any]]
) -> None:
    path, images = written[name]
    answer = by_tensorflow_js[name][backend]
    assert isinstance(answer, list), answer
    np.testing.assert_allclose(answer, run_onnx(path, images).ravel(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_expressed_is_named_with_what_is_allowed(name: str, outcome: Outcome) -> None:
    message = dict(zip(REFUSED, outcome.messages, strict=True))[name]
    assert REFUSED[name][1] in message
    assert "\n" not in message


def test_a_trace_names_what_a_model_uses_and_no_more(root: Path, outcome: Outcome) -> None:
    needs = trace_needs([root / "tanh"])
    assert "Tanh" in needs["kernels"]
    assert "tanh" in needs["functions"]
    assert not {"Conv2D", "FusedConv2D"} & set(needs["kernels"])
    both = trace_needs([root / "tanh", root / "conv valid"])
    assert all(set(needs[what]) <= set(both[what]) for what in needs)
    assert {"Conv2D", "FusedConv2D"} & set(both["kernels"])


def test_what_tensorflow_js_lacks_is_named(root: Path, outcome: Outcome, tmp_path: Path) -> None:
    model = (root / "tanh" / "model.json").read_text()
    (tmp_path / "model.json").write_text(model.replace('"op":"Tanh"', '"op":"Lgamma"'))
    for weights_file in (root / "tanh").glob("*.bin"):
        (tmp_path / weights_file.name).write_bytes(weights_file.read_bytes())
    with pytest.raises(ExportError, match=r"trace\.cjs failed: .*Lgamma"):
        trace_needs([tmp_path])
