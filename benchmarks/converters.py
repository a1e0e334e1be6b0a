"""The converters that benchmarks.convert compares: what each is installed with, and how it is run.

Each is a script that gets a folder with `student.onnx`, `model.json` and `model.safetensors`, and one for what it
writes: `saved_model/` or `student.tflite`.
"""

import os
import re
import shutil
import socketserver
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from benchmarks.environments import Environment
from benchmarks.fetch import ROOT, watch_memory

OURS = """
import sys
from pathlib import Path
from fieldguide.export.saved_model import write_saved_model
write_saved_model(Path(sys.argv[1]) / "student.onnx", Path(sys.argv[2]) / "saved_model")
"""

ONNX2TF = """
import sys
import onnx2tf
onnx2tf.convert(input_onnx_file_path=sys.argv[1] + "/student.onnx", output_folder_path=sys.argv[2] + "/saved_model",
                tflite_backend="tf_converter", non_verbose=True)
"""

ONNX2TF_DIRECT = """
import sys
import onnx2tf
onnx2tf.convert(input_onnx_file_path=sys.argv[1] + "/student.onnx", output_folder_path=sys.argv[2] + "/saved_model",
                tflite_backend="flatbuffer_direct", flatbuffer_direct_output_saved_model=True, non_verbose=True)
"""

LITERT_TORCH = """
import json, sys
import litert_torch, timm, torch
from safetensors.torch import load_file
spec = json.load(open(sys.argv[1] + "/model.json"))
module = timm.create_model(spec["architecture"], num_classes=len(spec["classes"]["species"])).eval()
module.load_state_dict(load_file(sys.argv[1] + "/model.safetensors"))
side = spec["image_size"]
module = litert_torch.to_channel_last_io(module, args=[0])
litert_torch.convert(module, (torch.zeros(1, side, side, 3),)).export(sys.argv[2] + "/student.tflite")
"""

ANSWER_BY_TFLITE = """
import json, sys
import numpy as np
from ai_edge_litert.interpreter import Interpreter
interpreter = Interpreter(sys.argv[2] + "/student.tflite")
interpreter.allocate_tensors()
[given], [asked] = interpreter.get_input_details(), interpreter.get_output_details()
logits = []
for image in np.load(sys.argv[1] + "/images.npy"):
    interpreter.set_tensor(given["index"], image[None])
    interpreter.invoke()
    logits.append(interpreter.get_tensor(asked["index"])[0].copy())
np.save(sys.argv[2] + "/logits.npy", np.stack(logits))
operations = [each["op_name"] for each in interpreter._get_ops_details() if each["op_name"] != "DELEGATE"]
found = {"operations": operations, "batch_is_open": int(given["shape_signature"][0]) == -1}
json.dump(found, open(sys.argv[2] + "/found.json", "w"))
"""
"""Runs where litert-torch does."""

ERROR_LINE = re.compile(r"\s*(?:\w+\.)*(\w*(?:Error|Exception)): (?!in user code)(.+)")


@dataclass(frozen=True)
class Converter:
    """A way from a trained network to a file for the browser."""

    name: str
    script: str
    environment: Environment


# Our own needs these of all that the project has; files are written with Polars at hand.
_OURS = Environment("", tuple(f"{name}=={version(name)}" for name in ("numpy", "onnx", "polars", "tensorflow")))
_ONNX2TF = Environment("onnx2tf", ("onnx2tf[tensorflow]==2.6.9",))
# It brings no networks; timm makes the one to convert.
_LITERT_TORCH = Environment("litert-torch", ("litert-torch==0.10.0", f"timm=={version('timm')}"))

CONVERTERS = (
    Converter("ours", OURS, _OURS),
    Converter("onnx2tf, tf_converter", ONNX2TF, _ONNX2TF),
    Converter("onnx2tf, flatbuffer_direct", ONNX2TF_DIRECT, _ONNX2TF),
    Converter("litert-torch", LITERT_TORCH, _LITERT_TORCH),
)


@dataclass(frozen=True)
class Run:
    """One conversion in a process that started anew."""

    seconds: float
    cpu_seconds: float
    """Of all cores; what else the machine does hardly shows in it."""
    peak_mb: float
    """Of the process and its children."""
    error: str | None


def run_converter(script: str, interpreter: Path, network: Path, out: Path, proxy: str) -> Run:
    """Convert the network in `network`; what is asked of the internet goes to `proxy`."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), proxy)
    variables = {**os.environ, **proxies, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [str(interpreter), "-W", "ignore", "-c", script, str(network), str(out)]
    started = time.perf_counter()
    with (out / "log.txt").open("wb") as log:
        process = subprocess.Popen(command, cwd=out, env=variables, stdout=log, stderr=log)
        peak = [0]
        watcher = threading.Thread(target=watch_memory, args=(process.pid, peak))
        watcher.start()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - started
    watcher.join()
    said = (out / "log.txt").read_text(encoding="utf-8", errors="replace").replace(f"{network}/", "")
    error = find_error(said) if process.returncode else None
    return Run(seconds, usage.ru_utime + usage.ru_stime, peak[0] / 1e6, error)


def find_error(log: str) -> str:
    """The first exception in a log, which is what later ones come from, on one line of at most 200 characters."""
    found = [f"{match[1]}: {match[2]}" for line in log.splitlines() if (match := ERROR_LINE.match(line))]
    return (found or log.strip().splitlines()[-1:] or ["no message"])[0][:200]


@contextmanager
def refusing_proxy() -> Iterator[tuple[str, list[str]]]:
    """The URL of a proxy that lets nothing through, and what it was asked for so far."""
    asked: list[str] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            asked.append(self.rfile.readline().decode("latin-1").split(" HTTP/")[0].strip())
            self.wfile.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
        server.shutdown()
