"""The whole export of a small untrained student: what it writes, that it repeats, and when it refuses."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from fieldguide.engine import run_isolated
from fieldguide.errors import ExportError, FieldguideError
from fieldguide.export.bundle import check_size
from fieldguide.export.model_folder import PRIOR_FILES
from fieldguide.export.params import ExportTfjsParams
from fieldguide.export.tfjs import large_pointwise_weights, write_graph_model
from fieldguide.files import file_sha256
from stages.export_tfjs import export_tfjs
from tests.export.exporting import PARAMS, export_once
from tests.export.making import IMAGE_SIZE

pytestmark = pytest.mark.slow

Exported = tuple[dict[str, Path], dict[str, Any]]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    return export_once(tmp_path_factory.getbasetemp() / "export")


def export_again(exported: Exported, root: Path, **changes: Any) -> dict[str, Any]:
    """The stage once more on the same inputs, into `root`."""
    paths = exported[0] | {"out": root / "out", "bundle": root / "bundle"}
    return export_tfjs(ExportTfjsParams.model_validate(PARAMS | changes), **paths)


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): file_sha256(path) for path in files}


def test_metrics_are_those_promised(exported: Exported) -> None:
    _, metrics = exported
    assert list(metrics) == ["onnxruntime", "tensorflow", "tfjs_node", "bundle_mb"]
    for runtime in ("onnxruntime", "tensorflow", "tfjs_node"):
        assert list(metrics[runtime]) == ["top1_agreement", "max_abs_logit_error", "num_near_ties"]
    assert metrics["onnxruntime"]["top1_agreement"] == metrics["tensorflow"]["top1_agreement"] == 1.0
    assert 0 < metrics["bundle_mb"] < PARAMS["max_bundle_mb"]


def test_the_outputs_are_those_of_the_contract(exported: Exported) -> None:
    paths, metrics = exported
    network, meaning = {"student.onnx", "model.json", "model.safetensors"}, {"labels", "calibration", "preprocessing"}
    assert {path.name for path in paths["out"].iterdir()} == {
        *network,
        *(f"{name}.json" for name in meaning),
        "saved_model",
        "parity.json",
        *PRIOR_FILES,
    }
    parity = json.loads((paths["out"] / "parity.json").read_text())
    assert parity["num_photos"] == 10
    assert parity["tfjs_node"] == metrics["tfjs_node"]
    bundle = paths["bundle"]
    model = json.loads((bundle / "model.json").read_text())
    (image,), (logits,) = model["signature"]["inputs"].items(), model["signature"]["outputs"].items()
    assert (image[0], logits[0]) == ("image", "logits")
    assert [int(dim["size"]) for dim in image[1]["tensorShape"]["dim"]] == [-1, IMAGE_SIZE, IMAGE_SIZE, 3]
    assert [int(dim["size"]) for dim in logits[1]["tensorShape"]["dim"]] == [-1, 8]
    settings = json.loads((bundle / "preprocessing.json").read_text())
    assert settings == {
        "record_size": 32,
        "image_size": IMAGE_SIZE,
        "mean": [0.5, 0.4, 0.3],
        "std": [0.5, 0.25, 0.2],
        "method": "pad",
        "upscale": True,
        "pad_fill": "color",
        "pad_color": [255, 255, 255],
    }
    calibration = json.loads((bundle / "calibration.json").read_text())
    decided = {"min_confidence": 0.4, "max_error": 0.1, "set_mass": 0.97, "set_target": 0.9, "fusion_exponent": 0.25}
    assert calibration == {"temperatures": {"species": 1.5, "genus": 1.0}, **decided}
    labels = json.loads((bundle / "labels.json").read_text())
    assert list(labels) == ["ranks", "classes", "parents", "vernacular", "vernaculars"]
    assert labels["vernacular"] == {"Linum album": "white flax"}


def test_examples_are_credited_and_free_to_show(exported: Exported) -> None:
    bundle = exported[0]["bundle"]
    examples = json.loads((bundle / "examples.json").read_text())
    assert 0 < len(examples) <= 3
    assert {(example["licence"], example["rights_holder"]) for example in examples} <= {
        ("CC0-1.0", None),
        ("CC-BY-4.0", "A | B"),
    }
    assert len({example["label"] for example in examples}) == len(examples)
    assert all((bundle / example["file"]).is_file() for example in examples)


def test_the_model_card_tells_licences_and_figures(exported: Exported) -> None:
    card = (exported[0]["bundle"] / "MODEL_CARD.md").read_text()
    assert "| CC-BY-4.0 | 3 | 1 |" in card
    assert "| CC-BY-NC-4.0 | 2 | 1 |" in card
    assert "8 photos for training, 2 to choose the best epoch, 12 for the figures above" in card
    assert "4 species classes, 2 genus classes" in card
    assert "| tfjs_node | " in card


def test_the_list_has_the_digest_of_every_file_and_the_service_worker_that_of_the_list(exported: Exported) -> None:
    bundle = exported[0]["bundle"]
    listed = json.loads((bundle / "bundle.json").read_text())["files"]
    found = digests(bundle)
    assert {file: entry["sha256"] for file, entry in listed.items()} | {
        name: found[name] for name in ("bundle.json", "service_worker.js")
    } == found
    assert {file: entry["bytes"] for file, entry in listed.items()} == {
        file: (bundle / file).stat().st_size for file in listed
    }
    assert found["bundle.json"] in (bundle / "service_worker.js").read_text()


def test_two_runs_give_the_same_bytes(exported: Exported, tmp_path: Path) -> None:
    paths, metrics = exported
    assert export_again(exported, tmp_path) == metrics
    assert digests(tmp_path / "out") == digests(paths["out"])
    assert digests(tmp_path / "bundle") == digests(paths["bundle"])


def test_a_runtime_past_its_limit_fails_and_keeps_the_old_bundle(exported: Exported, tmp_path: Path) -> None:
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle" / "old").touch()
    strict = {**PARAMS["limits"], "tfjs_node": {"min_top1_agreement": 1.0, "max_logit_error": 1e-9}}
    with pytest.raises(ExportError, match=r"tfjs_node is off by .* in a logit, at most 1e-09 is allowed"):
        export_again(exported, tmp_path, limits=strict)
    assert [path.name for path in (tmp_path / "bundle").iterdir()] == ["old"]
    assert json.loads((tmp_path / "out" / "parity.json").read_text())["tfjs_node"]["max_abs_logit_error"] > 1e-9


def test_mixed_weights_store_large_pointwise_kernels_in_a_byte(exported: Exported, tmp_path: Path) -> None:
    paths, _ = exported
    run_isolated(write_graph_model, paths["out"] / "saved_model", tmp_path, "mixed")
    model = json.loads((tmp_path / "model.json").read_text())
    stored = {
        weight["name"]: weight["quantization"]["dtype"]
        for group in model["weightsManifest"]
        for weight in group["weights"]
        if weight["dtype"] == "float32"
    }
    assert set(stored.values()) == {"uint8", "float16"}
    assert {name for name, dtype in stored.items() if dtype == "uint8"} == set(large_pointwise_weights(model))
    halves = sum(path.stat().st_size for path in paths["bundle"].glob("*.bin"))
    assert sum(path.stat().st_size for path in tmp_path.glob("*.bin")) < 0.8 * halves


def test_too_large_a_bundle_fails(exported: Exported) -> None:
    with pytest.raises(ExportError, match=r"the bundle takes .* MB, at most 0\.1 MB are allowed"):
        check_size(exported[0]["bundle"], 0.1)


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("student/model.json", r"model\.json is missing; has training finished"),
        ("tfrecord/manifest.json", r"manifest\.json is missing; run the tfrecord stage first"),
    ],
)
def test_a_missing_input_is_named(missing: str, message: str, exported: Exported, tmp_path: Path) -> None:
    root = exported[0]["out"].parent
    folder = missing.split("/")[0]
    shutil.copytree(root / folder, tmp_path / folder)
    (tmp_path / missing).unlink()
    paths = exported[0] | {folder: tmp_path / folder, "out": tmp_path / "out", "bundle": tmp_path / "bundle"}
    with pytest.raises(FieldguideError, match=message):
        export_tfjs(ExportTfjsParams.model_validate(PARAMS), **paths)
