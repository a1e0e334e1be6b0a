"""Turn the student into a browser bundle, and prove that it answers there as it did in training."""

from pathlib import Path

import numpy as np

from fieldguide.catalogue.taxonomy import Taxonomy
from fieldguide.engine import run_isolated
from fieldguide.export import bundle as page
from fieldguide.export import tfjs
from fieldguide.export.describe import describe_bundle
from fieldguide.export.inputs import read_inputs
from fieldguide.export.model_folder import DESCRIPTIONS, MIX_UPS, copy_network, copy_prior, describe_model
from fieldguide.export.node import build_page, trace_needs
from fieldguide.export.notes import read_notes
from fieldguide.export.params import ExportTfjsParams
from fieldguide.export.parity import check_parity, predict_node, predict_onnxruntime
from fieldguide.export.pretrained import read_student
from fieldguide.export.species import write_species
from fieldguide.export.student import NAME, read_evaluation
from fieldguide.records.reader import RecordSet
from fieldguide.stage import Metrics, run_stage


def export_tfjs(
    params: ExportTfjsParams,
    *,
    student: Path,
    fetch: Path,
    split: Path,
    tfrecord: Path,
    evaluate: Path,
    out: Path,
    bundle: Path,
    embed: Path | None = None,
) -> Metrics:
    """Write student.onnx, saved_model/, parity.json and all that answering takes to `out`, the page to `bundle`.

    Without `embed`, the embeddings of the records, the page has no reference photos.
    """
    network, evaluation = read_student(student, params.production_only), read_evaluation(evaluate)
    notes = read_notes(params.species_notes) if params.species_notes else {}
    test, onnx_file = RecordSet.open(tfrecord, "test"), out / "student.onnx"
    squares, images = read_inputs(test, network, params.num_parity_photos)
    out.mkdir(parents=True, exist_ok=True)
    reference = run_isolated(export_trained, student, onnx_file, images)
    copy_network(student, out)
    means = (network, evaluation, test.style, Taxonomy.read(split / "taxonomy.json"))
    described = evaluate / DESCRIPTIONS.name / NAME
    describe_model(out, *means)
    copy_prior(described, out)

    with page.drafted(bundle) as draft:
        by_tensorflow = run_isolated(tfjs.convert, onnx_file, out / "saved_model", draft, params.quantization, images)
        needs = trace_needs([draft])
        build_page(draft, needs)
        describe_model(draft, *means)
        copy_prior(described, draft)
        by_node, self_test = predict_node(draft, squares, needs)
        page.write_self_test(draft, self_test)
        logits = {
            "onnxruntime": predict_onnxruntime(onnx_file, images),
            "tensorflow": by_tensorflow,
            "tfjs_node": by_node,
        }
        parity = check_parity(reference, logits, network.class_counts[0], dict(params.limits), out / "parity.json")
        describe_bundle(
            draft,
            network,
            evaluation,
            test,
            split=split,
            catalogue=fetch / "catalogue.parquet",
            parity=parity,
            params=params,
        )
        write_species(
            draft,
            network.classes[network.ranks[0]],
            RecordSet.open(tfrecord, "train"),
            embed=embed,
            catalogue=fetch / "catalogue.parquet",
            mix_ups=evaluate / MIX_UPS,
            notes=notes,
            max_megabytes=params.reference_photos_mb,
        )
        page.write_file_list(draft)
        return {**parity, "bundle_mb": page.check_size(draft, params.max_bundle_mb)}


def export_trained(student: Path, onnx_file: Path, images: np.ndarray) -> np.ndarray:
    """All that this stage wants of PyTorch, in a process of its own: the ONNX file, and the logits that count."""
    from fieldguide.learn.onnx_export import export_onnx, predict_reference

    export_onnx(student, onnx_file)
    return predict_reference(student, images.transpose(0, 3, 1, 2))


if __name__ == "__main__":
    run_stage(export_tfjs)
