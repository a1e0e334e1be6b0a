"""A trained network as an ONNX graph of a few plain operators.

The batch is the only open dimension, and BatchNorm is folded into the convolutions before it. The input `image`
and the output `logits` are as docs/formats.md says of model.json.
"""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnx
import torch
from torch.export import Dim

from fieldguide.errors import ExportError
from fieldguide.files import written_whole
from fieldguide.learn.exportable import simplify
from fieldguide.learn.network import load_network

BATCH_SIZE = 32


def export_onnx(network_dir: Path, out: Path) -> None:
    """Write the network in `network_dir` as the ONNX file `out`, whole or not at all.

    Raises TrainingError if the network cannot be loaded, ExportError if it cannot be expressed.
    """
    network = load_network(network_dir)
    side = network.spec.image_size
    try:
        with _quiet_exporter():
            program = torch.onnx.export(
                simplify(network.module),
                # Two photos: the exporter takes a batch of one for a constant.
                (torch.zeros(2, 3, side, side),),
                dynamo=True,
                input_names=["image"],
                output_names=["logits"],
                dynamic_shapes=({0: Dim("batch")},),
                optimize=True,
                verbose=False,
            )
    except torch.onnx.OnnxExporterError as error:
        reason = (str(error).splitlines() or ["no reason given"])[0]
        raise ExportError(f"{network.spec.architecture} cannot be exported to ONNX: {reason}") from None
    assert program is not None
    model = program.model_proto
    onnx.checker.check_model(model, full_check=True)
    _drop_origin(model)
    with written_whole(out) as temporary:
        temporary.write_bytes(model.SerializeToString(deterministic=True))


def predict_reference(network_dir: Path, images: np.ndarray) -> np.ndarray:
    """The network's own answers: logits float32 [n, num_outputs] for inputs float32 [n, 3, S, S]."""
    network = load_network(network_dir)
    parts = [np.empty((0, network.spec.num_outputs), np.float32)]
    with torch.inference_mode():
        for start in range(0, len(images), BATCH_SIZE):
            batch = torch.from_numpy(np.ascontiguousarray(images[start : start + BATCH_SIZE], np.float32))
            parts.append(network.module(batch).numpy())
    return np.concatenate(parts)


def _drop_origin(model: onnx.ModelProto) -> None:
    """Remove what the exporter notes of the Python code, with file names of this machine in it."""
    graph = model.graph
    for node in graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    values: list[onnx.ValueInfoProto] = [*graph.value_info, *graph.input, *graph.output]
    for value in values:
        del value.metadata_props[:]
    for initializer in graph.initializer:
        del initializer.metadata_props[:]
    del graph.metadata_props[:]
    del model.metadata_props[:]
    del model.functions[:]


@contextmanager
def _quiet_exporter() -> Iterator[None]:
    """Silence the exporter's remarks about itself."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
