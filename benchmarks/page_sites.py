"""The pages that benchmarks.page compares: ours, and the same network in stock runtimes, which npm installs aside."""

import gzip
import json
import shutil
import subprocess
from pathlib import Path

from benchmarks.fetch import ROOT
from fieldguide.export.packing import PACKED

SOURCE = Path(__file__).parent / "page_peers"
PACKAGES = {
    "@tensorflow/tfjs": "4.22.0",
    "@tensorflow/tfjs-backend-wasm": "4.22.0",
    "onnxruntime-web": "1.30.0",
}
WASM = {
    "tfjs": "@tensorflow/tfjs-backend-wasm/dist/*.wasm",
    "onnxruntime": "onnxruntime-web/dist/ort-wasm-simd-threaded.[mw]*",
}
"""By peer: the files that its runtime fetches, below node_modules."""


def make_sites(bundle: Path, onnx: Path, root: Path, scratch: Path) -> dict[str, Path]:
    """Folders below `root` by name: `ours`, `tfjs`, `onnxruntime`; the peers' packages stay in `scratch`."""
    sites = {name: root / name for name in ("ours", *WASM)}
    shutil.copytree(bundle, sites["ours"])
    _install(scratch)
    for name, pattern in WASM.items():
        shutil.copytree(SOURCE, scratch / "source", dirs_exist_ok=True)
        sites[name].mkdir()
        esbuild = [str(ROOT / "node_modules/.bin/esbuild"), f"source/{name}.js", "--bundle", "--minify", "--format=esm"]
        subprocess.run([*esbuild, "--log-level=error", f"--outfile={sites[name] / 'main.js'}"], cwd=scratch, check=True)
        models = [onnx] if name == "onnxruntime" else [bundle / "model.json", *unpack_weights(bundle, scratch)]
        runtime = (scratch / "node_modules").glob(pattern)
        for file in (*runtime, *models, bundle / "preprocessing.json", SOURCE / "index.html"):
            shutil.copyfile(file, sites[name] / file.name)
    return sites


def unpack_weights(bundle: Path, scratch: Path) -> list[Path]:
    """The weights of a bundle as plain TensorFlow.js reads them, in `scratch`."""
    files = []
    for packed in bundle.glob(f"group*{PACKED}"):
        files.append(scratch / packed.name.removesuffix(PACKED))
        files[-1].write_bytes(gzip.decompress(packed.read_bytes()))
    return files


def _install(scratch: Path) -> None:
    """Install the peers into `scratch`, where they are not there yet."""
    wanted = json.dumps({"private": True, "dependencies": PACKAGES})
    listing = scratch / "package.json"
    if not (scratch / "node_modules").is_dir() or listing.read_text() != wanted:
        scratch.mkdir(parents=True, exist_ok=True)
        listing.write_text(wanted)
        command = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run(command, cwd=scratch, check=True)
