"""What a converter made of a network: the graph, how far its answers are from PyTorch's, its size and its speed."""

import contextlib
import hashlib
import io
import json
import statistics
import subprocess
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.converters import ANSWER_BY_TFLITE, Run
from benchmarks.fetch import ROOT
from fieldguide.engine import run_isolated
from fieldguide.export.node import run_node
from fieldguide.export.tfjs import MODEL_FILE

WASM = ROOT / "node_modules" / "@tensorflow" / "tfjs-backend-wasm" / "wasm-out"
SAVED_MODEL, GRAPH_MODEL = "saved_model", "graph_model"
NOT_COMPUTED = {"Const", "Placeholder", "NoOp"}


@dataclass
class Findings:
    """What one converter made of one network, over all rounds."""

    runs: list[Run] = field(default_factory=list)
    digests: set[str] = field(default_factory=set)
    """Of the graph models or .tflite files."""
    operations: Counter[str] = field(default_factory=Counter)
    error: float = 0.0
    """Largest difference of a logit from PyTorch, in any runtime."""
    batch_is_open: bool = False
    saved_model_mb: float = np.nan
    model_mb: float = np.nan
    milliseconds: list[float] = field(default_factory=list)
    """An image in TensorFlow.js."""
    remarks: list[str] = field(default_factory=list)

    def compare(self, logits: np.ndarray, reference: np.ndarray) -> None:
        """Take a runtime's logits [num_images, classes] into `error`."""
        self.error = max(self.error, float(np.abs(logits - reference).max()))

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


def judge(findings: Findings, network: Path, out: Path, interpreter: Path) -> None:
    """Add to `findings` what the files that a converter left in `out` are like."""
    files = [out / "student.tflite"]
    if files[0].exists():
        command = [str(interpreter), "-W", "ignore", "-c", ANSWER_BY_TFLITE, str(network), str(out)]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    else:
        try:
            run_isolated(judge_saved_model, out, network / "images.npy")
        except Exception as error:
            # Whatever TensorFlow or its converter say to a peer's file is a finding.
            findings.remarks.append(f"its SavedModel: {type(error).__name__}: {(str(error).splitlines() or [''])[0]}")
            return
        files = [out / GRAPH_MODEL / MODEL_FILE, *sorted((out / GRAPH_MODEL).glob("*.bin"))]
        # onnx2tf leaves .tflite files beside it.
        parts = [path for path in (out / SAVED_MODEL).rglob("*") if path.suffix == ".pb" or "variables." in path.name]
        findings.saved_model_mb = sum(path.stat().st_size for path in parts) / 1e6
    found = json.loads((out / "found.json").read_bytes())
    findings.compare(np.load(out / "logits.npy"), np.load(network / "reference.npy"))
    findings.operations = Counter(found["operations"])
    findings.batch_is_open = found["batch_is_open"]
    findings.model_mb = sum(path.stat().st_size for path in files) / 1e6
    findings.digests.add(hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest())


def judge_graph_models(converted: dict[Path, Findings], network: Path, script: Path) -> None:
    """Run the graph models that `judge` left in the keys of `converted` side by side in TensorFlow.js."""
    models = {str(out / GRAPH_MODEL): findings for out, findings in converted.items() if (out / GRAPH_MODEL).exists()}
    reference, side = np.load(network / "reference.npy"), np.load(network / "images.npy").shape[1]
    said = json.loads(run_node(script, str(WASM), str(network / "images.bin"), str(side), *models))
    for folder, findings in models.items():
        if "error" in said[folder]:
            findings.remarks.append(f"in the page's TensorFlow.js: {said[folder]['error']}")
        else:
            findings.milliseconds += said[folder]["milliseconds"]
            findings.compare(np.fromfile(Path(folder) / "logits.bin", "<f4").reshape(reference.shape), reference)


def judge_saved_model(out: Path, images_file: Path) -> None:
    """Write the graph model of the SavedModel in `out`; its logits and operations as ANSWER_BY_TFLITE. Isolate this."""
    from fieldguide.export.saved_model import SIGNATURE
    from fieldguide.export.tfjs import lent_modules
    from fieldguide.records.quiet_tensorflow import tf

    saved_model, graph_model = out / SAVED_MODEL, out / GRAPH_MODEL
    graph_model.mkdir()
    # Not the stage's own `write_graph_model`: it relies on weights that are constants, and a peer's are variables.
    with lent_modules(), contextlib.redirect_stdout(io.StringIO()):
        from tensorflowjs.converters.tf_saved_model_conversion_v2 import convert_tf_saved_model

        convert_tf_saved_model(str(saved_model), str(graph_model), signature_def=SIGNATURE)
    model = json.loads((graph_model / MODEL_FILE).read_bytes())
    # The order of its keys is the converter's whim.
    (graph_model / MODEL_FILE).write_text(json.dumps(model, sort_keys=True), encoding="utf-8")
    answer = tf.saved_model.load(str(saved_model)).signatures[SIGNATURE]
    [(name, spec)] = answer.structured_input_signature[1].items()
    images = np.load(images_file)
    step = len(images) if spec.shape[0] is None else spec.shape[0]
    batches = [images[start : start + step] for start in range(0, len(images), step)]
    logits = [next(iter(answer(**{name: tf.constant(batch)}).values())).numpy() for batch in batches]
    np.save(out / "logits.npy", np.concatenate(logits))
    operations = [node["op"] for node in model["modelTopology"]["node"] if node["op"] not in NOT_COMPUTED]
    found = {"operations": operations, "batch_is_open": spec.shape[0] is None}
    (out / "found.json").write_text(json.dumps(found), encoding="utf-8")
