"""What a converter made of a network: the graph, how far its answers are from PyTorch's, its size and its speed."""

import hashlib
import json
import shutil
import statistics
import subprocess
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.converters import ANSWER_BY_TFLITE, Run
from benchmarks.fetch import ROOT
from fieldguide.engine import run_isolated
from fieldguide.errors import ExportError
from fieldguide.export.node import run_node

WASM = ROOT / "node_modules" / "@tensorflow" / "tfjs-backend-wasm" / "wasm-out"
NOT_COMPUTED = {"Const", "Placeholder", "NoOp"}


@dataclass
class Findings:
    """What one converter made of one network, over all rounds."""

    runs: list[Run] = field(default_factory=list)
    digests: set[str] = field(default_factory=set)
    """Of the graph models or .tflite files."""
    operations: Counter[str] = field(default_factory=Counter)
    error: float = np.nan
    """Largest difference of a logit from PyTorch."""
    batch_is_open: bool = False
    saved_model_mb: float = np.nan
    model_mb: float = np.nan
    milliseconds: list[float] = field(default_factory=list)
    """An image in TensorFlow.js."""
    remarks: list[str] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """Of a conversion, median."""
        return statistics.median(run.seconds for run in self.runs)

    @property
    def cpu_seconds(self) -> float:
        """Of a conversion, all cores together, median."""
        return statistics.median(run.cpu_seconds for run in self.runs)

    @property
    def peak_mb(self) -> float:
        """Median."""
        return statistics.median(run.peak_mb for run in self.runs)

    @property
    def image_ms(self) -> float:
        """Of an image in TensorFlow.js, median; NaN where it does not run there."""
        return statistics.median(self.milliseconds) if self.milliseconds else np.nan

    @property
    def num_transposes(self) -> int:
        """That are left in the graph."""
        return sum(number for name, number in self.operations.items() if name.lower() == "transpose")


def judge(findings: Findings, network: Path, out: Path, interpreter: Path, script: Path) -> None:
    """Add to `findings` what the files that a converter left in `out` are like."""
    reference = np.load(network / "reference.npy")
    if (out / "student.tflite").exists():
        subprocess.run([str(interpreter), "-W", "ignore", "-c", ANSWER_BY_TFLITE, str(network), str(out)], check=True)
        found, answers = json.loads((out / "found.json").read_bytes()), [np.load(out / "logits.npy")]
        files = [out / "student.tflite"]
    else:
        found = run_isolated(judge_saved_model, out / "saved_model", out / "graph_model", network / "images.npy")
        answers = [np.load(out / "graph_model" / "logits.npy")]
        files = [out / "graph_model" / "model.json", *sorted((out / "graph_model").glob("*.bin"))]
        # onnx2tf leaves .tflite files beside it.
        parts = [path for path in (out / "saved_model").rglob("*") if path.suffix == ".pb" or "variables." in path.name]
        findings.saved_model_mb = sum(path.stat().st_size for path in parts) / 1e6
        arguments = (out / "graph_model", WASM, network / "images.bin", np.load(network / "images.npy").shape[1])
        try:
            milliseconds = run_node(script, *map(str, arguments), str(out / "logits.bin"))
            findings.milliseconds.append(float(milliseconds))
            answers.append(np.fromfile(out / "logits.bin", "<f4").reshape(reference.shape))
        except ExportError as error:
            findings.remarks.append(f"in the page's TensorFlow.js: {error}")
    findings.error = max(float(np.abs(each - reference).max()) for each in answers)
    findings.operations = Counter(found["operations"])
    findings.batch_is_open = found["batch_is_open"]
    findings.model_mb = sum(path.stat().st_size for path in files) / 1e6
    findings.digests.add(hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest())


def judge_saved_model(saved_model: Path, graph_model: Path, images_file: Path) -> dict[str, Any]:
    """Write a SavedModel's graph model and logits to `graph_model`; its operations and batch. Isolate this."""
    from fieldguide.export.saved_model import SIGNATURE
    from fieldguide.export.tfjs import MODEL_FILE, write_graph_model
    from fieldguide.records.quiet_tensorflow import tf

    shutil.rmtree(graph_model, ignore_errors=True)
    graph_model.mkdir()
    write_graph_model(saved_model, graph_model, "none")
    answer = tf.saved_model.load(str(saved_model)).signatures[SIGNATURE]
    [(name, spec)] = answer.structured_input_signature[1].items()
    images = np.load(images_file)
    step = len(images) if spec.shape[0] is None else spec.shape[0]
    batches = [images[start : start + step] for start in range(0, len(images), step)]
    logits = [next(iter(answer(**{name: tf.constant(batch)}).values())).numpy() for batch in batches]
    np.save(graph_model / "logits.npy", np.concatenate(logits))
    nodes = json.loads((graph_model / MODEL_FILE).read_bytes())["modelTopology"]["node"]
    operations = [node["op"] for node in nodes if node["op"] not in NOT_COMPUTED]
    return {"operations": operations, "batch_is_open": spec.shape[0] is None}
