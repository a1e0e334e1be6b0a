"""The whole export of a small untrained student: what it writes, that it repeats, and when it refuses."""

import json
import shutil
from math import prod
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from fieldguide.engine import run_isolated
from fieldguide.errors import ExportError, FieldguideError
from fieldguide.evaluate.answer_sets import PENALTY
from fieldguide.evaluate.familiar import FAMILIAR_FILES
from fieldguide.export.bundle import check_size
from fieldguide.export.model_folder import PRIOR_FILES
from fieldguide.export.params import ExportTfjsParams
from fieldguide.export.species import write_species
from fieldguide.export.tfjs import weights_in_bytes, write_graph_model
from fieldguide.files import file_sha256
from fieldguide.records.reader import RecordSet
from stages.export_tfjs import export_tfjs
from tests.export.exporting import PARAMS, RULES, export_once
from tests.export.making import IMAGE_SIZE
from tests.records.making import TAXONOMY

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
    runtimes = ["onnxruntime", "tensorflow", "tflite", "tfjs_node"]
    assert list(metrics) == [*runtimes, "quantization", "strangers", "bundle_mb"]
    for runtime in runtimes:
        assert list(metrics[runtime]) == ["top1_agreement", "max_abs_logit_error", "num_near_ties"]
    assert metrics["onnxruntime"]["top1_agreement"] == metrics["tensorflow"]["top1_agreement"] == 1.0
    assert 0 < metrics["bundle_mb"] < PARAMS["max_bundle_mb"]


def test_the_outputs_are_those_of_the_contract(exported: Exported) -> None:
    paths, metrics = exported
    network = {"student.onnx", "student.tflite", "model.json", "model.safetensors"}
    meaning = {"labels", "calibration", "preprocessing", "answers"}
    assert {path.name for path in paths["out"].iterdir()} == {
        *network,
        *(f"{name}.json" for name in meaning),
        "saved_model",
        "parity.json",
        *PRIOR_FILES,
        *FAMILIAR_FILES,
    }
    parity = json.loads((paths["out"] / "parity.json").read_text())
    assert parity["num_photos"] == 10
    assert parity["tfjs_node"] == metrics["tfjs_node"]
    assert parity["strangers"] == metrics["strangers"]
    assert metrics["strangers"]["strange_agreement"] == 1.0
    assert 0 < metrics["strangers"]["max_familiarity_error"] < 0.1
    bundle = paths["bundle"]
    model = json.loads((bundle / "model.json").read_text())
    (image,), (logits,) = model["signature"]["inputs"].items(), model["signature"]["outputs"].items()
    assert (image[0], logits[0]) == ("image", "logits")
    assert [int(dim["size"]) for dim in image[1]["tensorShape"]["dim"]] == [-1, IMAGE_SIZE, IMAGE_SIZE, 3]
    assert [int(dim["size"]) for dim in logits[1]["tensorShape"]["dim"]] == [-1, 8]
    space = json.loads((bundle / "familiar.json").read_text())
    assert space["prelogits"] in {node["name"] for node in model["modelTopology"]["node"]}
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
    promised = {"rules": RULES.model_dump(mode="json"), "most_photos": 3, "max_error": 0.1}
    decided = {**promised, "set_target": 0.9, "set_penalty": PENALTY, "fusion_exponent": 0.25}
    assert calibration == {"temperatures": {"species": 1.5, "genus": 1.0}, **decided}
    answers = json.loads((paths["out"] / "answers.json").read_text())
    assert answers["record_size"] == 32
    # The page draws the same square; its weights are float16.
    assert json.loads((bundle / "selftest.json").read_text())["logits"] == pytest.approx(answers["logits"], abs=0.05)
    labels = json.loads((bundle / "labels.json").read_text())
    assert list(labels) == ["ranks", "classes", "parents", "vernacular", "vernaculars", "regions", "kept"]
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


def test_species_have_photos_that_may_be_shown_and_look_alikes(exported: Exported) -> None:
    bundle = exported[0]["bundle"]
    species = json.loads((bundle / "species.json").read_text())
    assert list(species) == ["Aster alpinus", "Aster bellus", "Linum album", "Linum nudum"]
    assert sum(sheet["num_photos"] for sheet in species.values()) < 8  # without those of `other`
    assert species["Aster bellus"]["look_alikes"]["Linum nudum"] == 2
    photos = [photo for sheet in species.values() for photo in sheet["photos"]]
    assert {photo["file"] for photo in photos} == {f"species/{path.name}" for path in bundle.glob("species/*")}
    assert {(photo["licence"], photo["rights_holder"]) for photo in photos} <= {
        ("CC0-1.0", None),
        ("CC-BY-4.0", "A | B"),
    }


def test_without_embeddings_or_space_there_are_no_reference_photos(exported: Exported, tmp_path: Path) -> None:
    paths = exported[0]
    shared = {
        "catalogue": paths["fetch"] / "catalogue.parquet",
        "mix_ups": paths["evaluate"] / "mix_ups.csv",
        "notes": {"Linum nudum": {"notes": "On chalk."}},
    }
    train = RecordSet.open(paths["tfrecord"], "train")
    for folder, embed, space in ((tmp_path / "a", None, 1), (tmp_path / "b", paths["embed"], 0)):
        write_species(folder, TAXONOMY.classes["species"], train, embed=embed, max_megabytes=space, **shared)
        assert [path.name for path in folder.iterdir()] == ["species.json"]
        sheet = json.loads((folder / "species.json").read_text())["Linum nudum"]
        assert (sheet["photos"], sheet["look_alikes"]["Aster bellus"], sheet["notes"]) == ([], 2, "On chalk.")


def test_no_image_of_the_bundle_tells_where_or_by_whom_it_was_taken(exported: Exported) -> None:
    bundle = exported[0]["bundle"]
    endings = {".png", ".jpg", ".jpeg", ".webp", ".gif", ".avif"}
    images = [path for path in bundle.rglob("*") if path.suffix in endings]
    assert {path.parent.name for path in images} == {"bundle", "examples", "species"}
    for path in images:
        content = path.read_bytes()
        assert not any(word in content for word in (b"Exif", b"EXIF", b"http://ns.adobe.com", b"XMP ", b"8BIM")), path
        with Image.open(path) as image:
            assert not image.getexif(), path
            assert not image.info.keys() & {"exif", "xmp", "comment", "icc_profile", "photoshop", "Description"}, path


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
    # Reference photos, of which there may be thousands, have their own digests for names.
    references = {file: digest for file, digest in found.items() if file.startswith("species/")}
    assert references
    assert all(file == f"species/{digest[:32]}.webp" for file, digest in references.items())
    assert (
        {file: entry["sha256"] for file, entry in listed.items()}
        | {name: found[name] for name in ("bundle.json", "service_worker.js")}
        | references
    ) == found
    assert {file: entry["bytes"] for file, entry in listed.items()} == {
        file: (bundle / file).stat().st_size for file in listed
    }
    assert found["bundle.json"] in (bundle / "service_worker.js").read_text()


def test_two_runs_give_the_same_bytes(exported: Exported, tmp_path: Path) -> None:
    paths, metrics = exported
    assert export_again(exported, tmp_path) == metrics
    assert digests(tmp_path / "out") == digests(paths["out"])
    assert digests(tmp_path / "bundle") == digests(paths["bundle"])


def test_kinds_of_weights_are_compared_and_one_is_proposed(exported: Exported) -> None:
    paths, metrics = exported
    table = metrics["quantization"]
    assert json.loads((paths["out"] / "parity.json").read_text())["quantization"] == table
    assert list(table) == ["none", "float16", "mixed", "uint8", "uint7"]
    megabytes = [row["megabytes"] for row in table.values()]
    assert megabytes == sorted(megabytes, reverse=True)
    assert table["none"]["max_abs_logit_error"] == 0 < table["float16"]["max_abs_logit_error"]
    assert sum(row["is_proposed"] for row in table.values()) == 1
    # What the bundle holds is what the table says.
    stored = sum(path.stat().st_size for path in paths["bundle"].glob("group1-*")) / 1e6
    assert stored == pytest.approx(table["float16"]["megabytes"], rel=0.02)
    assert "| float16 (these) | " in (paths["bundle"] / "MODEL_CARD.md").read_text()


@pytest.mark.parametrize("quantization", ["uint8", "uint7"])
def test_learned_rounding_is_what_the_browser_gets(exported: Exported, tmp_path: Path, quantization: str) -> None:
    loose = {**PARAMS["limits"], "tfjs_node": {"min_top1_agreement": 0.0, "max_logit_error": 9.0}}
    nearest, learned = (
        export_again(exported, tmp_path / rounding, quantization=quantization, rounding=rounding, limits=loose)
        for rounding in ("nearest", "learned")
    )
    assert digests(tmp_path / "learned" / "out" / "saved_model") == digests(exported[0]["out"] / "saved_model")
    for metrics in (nearest, learned):
        told = metrics["quantization"][quantization]["max_abs_logit_error"]
        assert metrics["tfjs_node"]["max_abs_logit_error"] == pytest.approx(told, rel=0.3)
    assert learned["tfjs_node"]["max_abs_logit_error"] != nearest["tfjs_node"]["max_abs_logit_error"]


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
    assert {name for name, dtype in stored.items() if dtype == "uint8"} == set(weights_in_bytes(model, "mixed"))
    halves = 2 * sum(prod(weight["shape"]) for group in model["weightsManifest"] for weight in group["weights"])
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
