"""From a trained network to a graph model for the browser: our converter, onnx2tf and litert-torch, interleaved.

    python -m benchmarks.convert --rounds 3
    python -m benchmarks.convert --networks resnet18:160 --rounds 1 --environments /tmp/converters --python python3.12

Networks are timm's, NAME or NAME:SIDE, with random weights and BatchNorm statistics of random images, exported to ONNX
as the pipeline does; litert-torch gets the PyTorch module instead. Each converter runs in an environment of its own
(uv makes them, 11 GB), every conversion in a new process, imports included. What comes out as a SavedModel
becomes a float32 graph model by TensorFlow's converter and is run in the page's TensorFlow.js in Node; a .tflite is
run by LiteRT. Whatever a converter asks of the internet is refused and listed. A logit's error is the larger of
that in TensorFlow and that in TensorFlow.js.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from benchmarks.converted import Findings, judge, judge_graph_models
from benchmarks.converters import CONVERTERS, refusing_proxy, run_converter
from benchmarks.environments import describe, install
from fieldguide.engine import run_isolated
from fieldguide.export.node import build_script

NETWORKS = (
    "mobilenetv2_100:160",
    "mobilenetv3_small_100:160",
    "resnet18:160",
    "efficientvit_b0:160",
    "vit_tiny_patch16_224:224",
)
NAMES = [each.name for each in CONVERTERS]
NUM_CLASSES = 1000
NUM_IMAGES = 16


def main() -> None:
    """Print Markdown tables: the networks, the ratios, the environments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", default=NETWORKS, metavar="NAME[:SIDE]")
    parser.add_argument("--converters", nargs="+", choices=NAMES, default=NAMES, metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--python", default="3.12", help="version or path of the environments' Python")
    parser.add_argument("--environments", type=Path, help="where they are kept; default: thrown away at the end")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fieldguide-")))
        folder = arguments.environments or work
        converters = [each for each in CONVERTERS if each.name in arguments.converters]
        interpreters = {each.name: install(each.environment, folder, arguments.python) for each in converters}
        build_script("../benchmarks/convert.mjs", work / "run.cjs", None)
        proxy, asked = stack.enter_context(refusing_proxy())
        networks = [name.partition(":") for name in arguments.networks]
        for name, _, side in networks:
            run_isolated(draw_network, name, int(side or 224), work / name)
        results = {(name, each.name): Findings() for name, _, _ in networks for each in converters}
        for _ in range(arguments.rounds):
            for name, _, _ in networks:
                converted: dict[Path, Findings] = {}
                for converter in converters:
                    findings, out = results[name, converter.name], work / "out" / converter.name
                    already = len(asked)
                    run = run_converter(converter.script, interpreters[converter.name], work / name, out, proxy)
                    print(f"{name}, {converter.name}: {run}", file=sys.stderr, flush=True)
                    findings.runs.append(run)
                    findings.remarks += [f"asks for {each}" for each in asked[already:]]
                    if run.error is not None:
                        findings.remarks.append(run.error)
                        continue
                    judge(findings, work / name, out, interpreters[converter.name])
                    converted[out] = findings
                judge_graph_models(converted, work / name, work / "run.cjs")
        print_networks(results)
        print_ratios(results)
        print_environments(interpreters)


def draw_network(name: str, side: int, folder: Path) -> None:
    """Write a network with random weights, its ONNX file, images and PyTorch's logits for them. Isolate this."""
    import torch

    from fieldguide.learn.network import build_network, save_network
    from fieldguide.learn.onnx_export import export_onnx, predict_reference
    from fieldguide.learn.params import BackboneParams

    backbone = {
        "architecture": name,
        "architecture_args": {},
        "image_size": side,
        "mean": (0.5, 0.5, 0.5),
        "std": (0.5, 0.5, 0.5),
        "mask_padding": False,
        "weights": {"from": "scratch"},
    }
    classes = {"species": [f"species {number}" for number in range(NUM_CLASSES)]}
    params = BackboneParams.model_validate(backbone)
    network = build_network(params, ranks=["species"], classes=classes, region=None, seed=1)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        # Drawn ones and zeros would hide what a converter does: a residual branch whose BatchNorm scales by 0, a bias
        # of 0 that the exporter drops.
        for parameter in network.module.parameters():
            if parameter.ndim == 1:
                parameter.add_(torch.randn(parameter.shape, generator=generator), alpha=0.2)
        for layer in network.module.modules():
            if isinstance(layer, torch.nn.BatchNorm2d):
                layer.momentum = None
                layer.reset_running_stats()
        network.module.train()(torch.randn(16, 3, side, side, generator=generator))
        network.module.eval()
    folder.mkdir()
    save_network(network, folder)
    export_onnx(folder, folder / "student.onnx")
    images = np.random.default_rng(1).normal(size=(NUM_IMAGES, side, side, 3)).astype("<f4")
    np.save(folder / "images.npy", images)
    images.tofile(folder / "images.bin")
    np.save(folder / "reference.npy", predict_reference(folder, images.transpose(0, 3, 1, 2)))


def print_networks(results: dict[tuple[str, str], Findings]) -> None:
    """A row for each network and converter; times and memory are medians."""
    columns = [
        "network",
        "converter",
        "s",
        "CPU s",
        "peak MB",
        "operations",
        "Transposes",
        "logit error",
        "SavedModel MB",
    ]
    columns += ["model MB", "batch open", "same bytes", "TF.js ms/image"]
    print_row(columns)
    print_row(["---"] * len(columns))
    notes = list(dict.fromkeys(remark for each in results.values() for remark in each.remarks))
    for (network, converter), each in results.items():
        cells = [network, converter, f"{each.seconds:.1f}", f"{each.cpu_seconds:.1f}", f"{each.peak_mb:,.0f}"]
        if each.digests:
            cells += [str(each.operations.total()), str(each.num_transposes), f"{each.error:.1e}"]
            cells += [rounded(each.saved_model_mb, 1), rounded(each.model_mb, 1), yes(each.batch_is_open)]
            cells += [yes(len(each.digests) == 1) if len(each.runs) > 1 else "-", rounded(each.image_ms, 1)]
        else:
            cells += ["fails", *["-"] * 7]
        cells[-1] += "".join(f" [{notes.index(note) + 1}]" for note in dict.fromkeys(each.remarks))
        print_row(cells)
    print(*(f"\n[{number}] {note}" for number, note in enumerate(notes, 1)))


def print_ratios(results: dict[tuple[str, str], Findings]) -> None:
    """A row for each peer and network that it and we could convert: the peer's median over ours."""
    print_row(["network", "peer / ours", "s", "CPU s", "peak MB", "TF.js ms/image"])
    print_row(["---"] * 6)
    for (network, converter), peer in results.items():
        ours = results.get((network, CONVERTERS[0].name))
        if ours and peer is not ours and peer.digests and ours.digests:
            ratios = [peer.seconds / ours.seconds, peer.cpu_seconds / ours.cpu_seconds]
            ratios += [peer.peak_mb / ours.peak_mb, peer.image_ms / ours.image_ms]
            print_row([network, converter, *(rounded(ratio, 2) for ratio in ratios)])
    print()


def print_environments(interpreters: dict[str, Path]) -> None:
    """A row for each environment."""
    print_row(["environment", "packages", "not in the project", "MB", "holds", "pins", "resolves beside the project"])
    print_row(["---"] * 7)
    for environment, name in {each.environment: each.name for each in CONVERTERS if each.name in interpreters}.items():
        print_row(describe(environment, interpreters[name]))


def print_row(cells: Sequence[str]) -> None:
    """One row of a Markdown table."""
    print(f"| {' | '.join(cells)} |")


def rounded(number: float, digits: int) -> str:
    """A number for a table; `-` for NaN."""
    return "-" if np.isnan(number) else f"{number:.{digits}f}"


def yes(claim: bool) -> str:
    """`yes` or `no`."""
    return "yes" if claim else "no"


if __name__ == "__main__":
    main()
