"""Turn the student into a browser bundle, and prove that it answers there as it did in training."""

import tempfile
from pathlib import Path

import numpy as np

from fieldguide.catalogue.taxonomy import Taxonomy
from fieldguide.engine import run_isolated
from fieldguide.evaluate.familiar import read_familiar
from fieldguide.evaluate.rules import Situation
from fieldguide.export import bundle as page
from fieldguide.export import tfjs
from fieldguide.export.class_map import read_prelogits
from fieldguide.export.describe import Sources, describe_bundle
from fieldguide.export.inputs import read_inputs
from fieldguide.export.known_answer import Answers, draw_test_square, to_input
from fieldguide.export.model_files import Calibration, Preprocessing
from fieldguide.export.model_folder import (
    DESCRIPTIONS,
    MIX_UPS,
    copy_familiar,
    copy_network,
    copy_prior,
    describe_model,
)
from fieldguide.export.node import build_page, trace_needs
from fieldguide.export.notes import read_notes
from fieldguide.export.packing import pack_files
from fieldguide.export.params import ExportTfjsParams
from fieldguide.export.parity import (
    check_familiarity,
    check_parity,
    compare_familiarity,
    predict_node,
    predict_onnxruntime,
    see_onnxruntime,
)
from fieldguide.export.pretrained import read_student
from fieldguide.export.quantization import quantize
from fieldguide.export.student import NAME, read_evaluation
from fieldguide.learn.reference import export_trained
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
    """Write the network for each runtime and all that answering takes to `out`, the page to `bundle`.

    Without `embed`, the embeddings of the records, the page has no reference photos.
    """
    network, evaluation = read_student(student, params.production_only), read_evaluation(evaluate)
    notes = read_notes(params.species_notes) if params.species_notes else {}
    train, test = (RecordSet.open(tfrecord, each) for each in ("train", "test"))
    sources = Sources(test, train, split, fetch / "catalogue.parquet", embed, evaluate / MIX_UPS, notes)
    onnx_file, described = out / tfjs.ONNX_FILE, evaluate / DESCRIPTIONS.name / NAME
    squares, images = read_inputs(test, network, params.num_parity_photos)
    out.mkdir(parents=True, exist_ok=True)
    means = (network, evaluation, test.style, Taxonomy.read(split / "taxonomy.json"))
    describe_model(out, *means, params.regions)
    known = to_input(draw_test_square(test.image_size), Preprocessing.read(out))
    *reference, answer = run_isolated(export_trained, student, onnx_file, np.concatenate([images, known]))
    Answers.of(test.image_size, answer).write(out)
    copy_network(student, out)
    copy_prior(described, out)
    copy_familiar(described, out)

    with page.drafted(bundle) as draft, tempfile.TemporaryDirectory(prefix="fieldguide-") as scratch:
        stored, quantization = quantize(params, onnx_file, tfrecord, network, Path(scratch))
        logits = {"onnxruntime": predict_onnxruntime(onnx_file, images)}
        logits |= run_isolated(tfjs.convert, out, stored, draft, params, images)
        needs = trace_needs([draft])
        build_page(draft, needs)
        describe_model(draft, *means, params.regions)
        copy_prior(described, draft)
        if prelogits := read_prelogits(draft):
            copy_familiar(described, draft, prelogits)
        logits["tfjs_node"], self_test, familiarity = predict_node(draft, squares, needs)
        page.write_self_test(draft, self_test)
        pack_files(draft)
        shown, report = np.stack(reference), out / "parity.json"
        strangers = _compare_strangers(out, onnx_file, images, familiarity)
        rest = {"quantization": quantization, **({"strangers": strangers} if strangers else {})}
        parity = check_parity(shown, logits, network.class_counts[0], params.limits, report, rest)
        if strangers:
            check_familiarity(strangers, params.min_strange_agreement)
        describe_bundle(draft, network, evaluation, sources, parity=parity, quantization=quantization, params=params)
        page.write_file_list(draft)
        return {**parity, **rest, "bundle_mb": page.check_size(draft, params.max_bundle_mb)}


def _compare_strangers(
    folder: Path, onnx_file: Path, images: np.ndarray, measured: np.ndarray | None
) -> dict[str, float] | None:
    """How the page's code tells strangers, to how the network as trained does; None where nobody can."""
    familiar, seen = read_familiar(folder), see_onnxruntime(onnx_file, images)
    if familiar is None or seen is None or measured is None:
        return None
    least = Calibration.read(folder).rules.find(Situation.ONE).min_familiarity
    return compare_familiarity(familiar.measure(*seen), measured, least)


if __name__ == "__main__":
    run_stage(export_tfjs)
