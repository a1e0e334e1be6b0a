"""Turn the student into a browser bundle, and prove that it answers there as it did in training."""

from pathlib import Path

import numpy as np

from fieldguide.engine import run_isolated
from fieldguide.errors import ExportError
from fieldguide.export import bundle as page
from fieldguide.export import tfjs
from fieldguide.export.describe import describe_bundle
from fieldguide.export.inputs import decode_squares, normalise_squares
from fieldguide.export.node import build_page
from fieldguide.export.params import ExportTfjsParams
from fieldguide.export.parity import as_metrics, check_agreements, compare, predict_node, predict_onnxruntime
from fieldguide.export.student import read_evaluation
from fieldguide.files import write_json
from fieldguide.learn.description import NetworkSpec
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
) -> Metrics:
    """Write student.onnx, saved_model/ and parity.json to `out`, the page with its model to `bundle`."""
    network, evaluation = NetworkSpec.read(student), read_evaluation(evaluate)
    test = RecordSet.open(tfrecord, "test")
    records = test[: params.num_parity_photos]
    if not records:
        raise ExportError(f"{tfrecord} holds no test records; the export cannot be checked without any")
    squares = decode_squares([record.image for record in records])
    images = normalise_squares(squares, network.image_size, network.mean, network.std)
    preprocessing = page.Preprocessing(
        test.style.size, network.image_size, network.mean, network.std, test.style.method, test.style.pad_color
    )
    onnx_file = out / "student.onnx"
    out.mkdir(parents=True, exist_ok=True)
    reference = run_isolated(export_trained, student, onnx_file, images)

    with page.drafted(bundle) as draft:
        build_page(draft)
        page.write_preprocessing(draft, preprocessing)
        by_tensorflow = run_isolated(tfjs.convert, onnx_file, out / "saved_model", draft, params.quantization, images)
        by_node, self_test = predict_node(draft, squares)
        page.write_self_test(draft, self_test)
        logits = {
            "onnxruntime": predict_onnxruntime(onnx_file, images),
            "tensorflow": by_tensorflow,
            "tfjs_node": by_node,
        }
        num_classes = len(network.classes[network.ranks[0]])
        agreements = {runtime: compare(reference, answers, num_classes) for runtime, answers in logits.items()}
        parity = as_metrics(agreements)
        write_json(out / "parity.json", {"num_photos": len(records), **parity})
        check_agreements(agreements, dict(params.limits))
        describe_bundle(
            draft,
            network,
            evaluation,
            test,
            split=split,
            catalogue=fetch / "catalogue.parquet",
            parity=parity,
            quantization=params.quantization,
            min_confidence=params.min_confidence,
            num_examples=params.num_examples,
        )
        page.write_offline_list(draft)
        return {**parity, "bundle_mb": page.check_size(draft, params.max_bundle_mb)}


def export_trained(student: Path, onnx_file: Path, images: np.ndarray) -> np.ndarray:
    """All that this stage wants of PyTorch, in a process of its own: the ONNX file, and the logits that count."""
    from fieldguide.learn.onnx_export import export_onnx, predict_reference

    export_onnx(student, onnx_file)
    return predict_reference(student, images.transpose(0, 3, 1, 2))


if __name__ == "__main__":
    run_stage(export_tfjs)
