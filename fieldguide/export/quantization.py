"""What each kind of weights costs: megabytes, error of a logit and right answers, measured beside each other.

No bundle is built for it: ONNX Runtime answers with the values that remain of the weights.
"""

import logging
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import onnxruntime

from fieldguide.export.inputs import decode_squares, normalise_squares
from fieldguide.export.onnx_graph import read_onnx, write_onnx
from fieldguide.export.params import ExportTfjsParams, Quantization
from fieldguide.export.rounding import learn_rounding
from fieldguide.export.storage import MIN_BYTE_WEIGHTS, QUANTIZATIONS, store
from fieldguide.learn.description import NetworkSpec
from fieldguide.learn.labels import UNKNOWN, map_labels
from fieldguide.records.reader import RecordSet

log = logging.getLogger(__name__)

NUM_ROUNDING_PHOTOS = 128
"""Training photos that the rounding is learned from."""
BATCH_SIZE = 32

Row = dict[str, float]
"""`megabytes` of 1e6 bytes as zlib packs them, `max_abs_logit_error`, `top1`: the share right at the first rank."""
Run = Callable[[np.ndarray], np.ndarray]


def quantize(
    params: ExportTfjsParams, onnx_file: Path, tfrecord: Path, network: NetworkSpec, scratch: Path
) -> tuple[Path, dict[Quantization, Row]]:
    """The network that the bundle is to be made of, and what every kind of weights costs, by name.

    That network is `onnx_file`, or a file in `scratch` whose weights lie on the steps that were learned. Logs which
    kind is proposed; `is_proposed` is 1 there.
    """
    graph = read_onnx(onnx_file)
    shown = RecordSet.open(tfrecord, "train")[:NUM_ROUNDING_PHOTOS] if params.rounding == "learned" else []
    images = _inputs(network, [record.image for record in shown]) if shown else None
    files, num_bytes = {}, {}
    for name in QUANTIZATIONS:
        rounded = None if images is None else learn_rounding(graph, images, name)
        stored, content = store(graph, name, rounded)
        num_bytes[name] = len(zlib.compress(content))
        files[name] = scratch / f"{name}.onnx"
        write_onnx(stored, files[name])
    test = RecordSet.open(tfrecord, "test")
    num_photos = min(params.num_quantization_photos, len(test))
    truth = map_labels(test, network.classes, network.ranks[:1])[:num_photos, 0]
    batches = (
        _inputs(network, [record.image for record in test[start : min(start + BATCH_SIZE, num_photos)]])
        for start in range(0, num_photos, BATCH_SIZE)
    )
    table = _compare({name: _open(file) for name, file in files.items()}, batches, truth, network.class_counts[0])
    for name, row in table.items():
        row["megabytes"] = num_bytes[name] / 1e6
    proposed = propose(table, params.max_top1_loss)
    for name, row in table.items():
        row["is_proposed"] = float(name == proposed)
    log.info(_describe(table, proposed, params))
    return files[params.quantization] if params.quantization in MIN_BYTE_WEIGHTS else onnx_file, table


def propose(table: Mapping[Quantization, Row], max_top1_loss: float) -> Quantization:
    """The smallest weights that lose at most `max_top1_loss` of the right answers."""
    least = table["none"]["top1"] - max_top1_loss
    # 0.86 - 0.005 and 0.855 are not the same number in binary.
    good = [name for name, row in table.items() if row["top1"] >= least - 1e-9]
    return min(good, key=lambda name: table[name]["megabytes"])


def _compare(
    runs: Mapping[Quantization, Run], batches: Iterator[np.ndarray], truth: np.ndarray, num_classes: int
) -> dict[Quantization, Row]:
    errors, num_right = dict.fromkeys(runs, 0.0), dict.fromkeys(runs, 0)
    start = 0
    for images in batches:
        reference = runs["none"](images)
        labels = truth[start : start + len(images)]
        start += len(images)
        for name, run in runs.items():
            logits = reference if name == "none" else run(images)
            errors[name] = max(errors[name], float(np.abs(logits - reference).max()))
            num_right[name] += int((logits[:, :num_classes].argmax(axis=1) == labels).sum())
    num_known = max(1, int((truth != UNKNOWN).sum()))
    return {
        name: {"megabytes": 0.0, "max_abs_logit_error": errors[name], "top1": num_right[name] / num_known}
        for name in runs
    }


def _describe(table: Mapping[Quantization, Row], proposed: Quantization, params: ExportTfjsParams) -> str:
    loss = table["none"]["top1"] - table[proposed]["top1"]
    costs = f"{table[proposed]['megabytes']:.1f} MB for {100 * loss:.1f} points of top-1"
    if proposed == params.quantization:
        return f"quantization {proposed} is the smallest that is good enough: {costs}"
    own = table[params.quantization]["megabytes"]
    smallest = f"the smallest that is good enough is {proposed}: {costs}"
    return f"quantization {params.quantization} takes {own:.1f} MB; {smallest}"


def _open(onnx_file: Path) -> Run:
    session = onnxruntime.InferenceSession(onnx_file, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda images: session.run(None, {name: np.ascontiguousarray(images.transpose(0, 3, 1, 2))})[0]


def _inputs(network: NetworkSpec, jpegs: Sequence[bytes]) -> np.ndarray:
    return normalise_squares(decode_squares(jpegs), network.image_size, network.mean, network.std)
