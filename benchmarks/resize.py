"""Large and small photos to padded squares, beside img2dataset's resizer and pyvips: photos a second, interleaved.

    python -m benchmarks.resize --rounds 7

Each program gets a JPEG's bytes and gives those of a 256 px square, JPEG of quality 92 and 4:2:0, on one core: ours as
the resize stage does it, with everything that guards it against hostile files; theirs as their users call it. Photos
are drawn with the detail and grain of real ones; the other packages get an environment of their own, made with uv.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.environments import Environment, install
from fieldguide.images.geometry import Method
from fieldguide.memory import keep_freed_memory
from fieldguide.records.manifest import SquareStyle
from fieldguide.records.squares import encode_square

SIDE, QUALITY = 256, 92
LARGE = ((4032, 3024), (3000, 4000), (3264, 2448), (3888, 2592), (3648, 2736), (3120, 4160))
SMALL = ((500, 375), (375, 500), (500, 333), (500, 500), (500, 281), (333, 500))
DETAIL = (4, 24, 160, 640)
"""Blotches along the longer side, of each scale of detail in a drawn photo."""
GRAIN = 4
"""Standard deviation, levels of 255."""
PEERS = Environment("img2dataset", ("img2dataset==1.47.0", "pyvips==3.1.1", "pyvips-binary==8.18.0", "setuptools<81"))

PEER = """
import io, json, sys, time
from pathlib import Path
name, folder, side, quality = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
if name == "img2dataset":
    from img2dataset.resizer import Resizer
    resizer = Resizer(side, "border", False, encode_quality=quality)
    resize = lambda content: resizer(io.BytesIO(content))[0]
else:
    import pyvips
    def resize(content):
        image = pyvips.Image.thumbnail_buffer(content, side, height=side, size="both")
        square = image.gravity("centre", side, side, extend="white")
        return square.jpegsave_buffer(Q=quality, keep="none", subsample_mode="on")
photos = {kind: [file.read_bytes() for file in sorted(folder.glob(f"{kind}-*.jpg"))] for kind in ("large", "small")}
for line in sys.stdin:
    kind, seconds = line.split()
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < float(seconds):
        made = [resize(content) for content in photos[kind]]
        count += len(made)
    rate = count / (time.perf_counter() - start)
    print(json.dumps({"rate": rate, "bytes": sum(map(len, made)) / len(made)}), flush=True)
"""


def main() -> None:
    """Print a Markdown table and the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each program in a round")
    parser.add_argument("--environments", type=Path, default=Path("/tmp/resize-peers"), help="made where it is missing")
    parser.add_argument("--python", default="3.11", help="of that environment")
    arguments = parser.parse_args()
    keep_freed_memory()
    interpreter = install(PEERS, arguments.environments, arguments.python)
    with tempfile.TemporaryDirectory(prefix="fieldguide-") as work:
        folder = Path(work)
        for kind, sizes in (("large", LARGE), ("small", SMALL)):
            num_bytes = [draw_photo(*size, folder / f"{kind}-{number}.jpg") for number, size in enumerate(sizes)]
            print(f"{kind}: {len(sizes)} photos of {statistics.mean(num_bytes) / 1e6:.2f} MB")
        programs = {"ours": measure_ours(folder)}
        with start_peer("img2dataset", interpreter, folder) as one, start_peer("pyvips", interpreter, folder) as other:
            programs |= {"img2dataset": ask(one), "pyvips": ask(other)}
            print(f"\n| photos | {' | '.join(f'{name}, photos/s' for name in programs)} | ours / the better |")
            print("|---|" + "---|" * (len(programs) + 1))
            for kind in ("large", "small"):
                rates: dict[str, list[float]] = {name: [] for name in programs}
                sizes_made = {}
                for _ in range(arguments.rounds + 1):
                    for name, measure in programs.items():
                        rate, sizes_made[name] = measure(kind, arguments.seconds)
                        rates[name].append(rate)
                # The first round loads what is loaded late.
                medians = {name: statistics.median(found[1:]) for name, found in rates.items()}
                better = max(rate for name, rate in medians.items() if name != "ours")
                cells = [f"{rate:,.1f} ({sizes_made[name] / 1e3:.0f} kB)" for name, rate in medians.items()]
                print(f"| {kind} | {' | '.join(cells)} | {medians['ours'] / better:.2f} |", flush=True)


def draw_photo(width: int, height: int, path: Path) -> int:
    """Write a JPEG as cameras make them; returns its size in bytes."""
    random = np.random.default_rng([width, height])
    total = np.zeros((height, width, 3), np.float32)
    for blotches in DETAIL:
        sides = [max(2, blotches * side // max(width, height)) for side in (height, width)]
        layer = Image.fromarray(random.integers(0, 256, (*sides, 3), np.uint8))
        weight = 1.6 / blotches**0.35
        total += weight * (np.asarray(layer.resize((width, height), Image.Resampling.BICUBIC), np.float32) - 128)
    total += 128 + random.normal(0, GRAIN, (height, width, 1)).astype(np.float32)
    Image.fromarray(total.clip(0, 255).astype(np.uint8)).save(path, "JPEG", quality=88)
    return path.stat().st_size


Measure = Callable[[str, float], tuple[float, float]]
"""From `large` or `small` and seconds to photos a second and bytes of a square."""


def measure_ours(folder: Path) -> Measure:
    """The resize stage's function over the photos of `folder`."""
    style = SquareStyle(size=SIDE, method=Method.PAD, pad_color=(255, 255, 255), quality=QUALITY)
    photos = {kind: [file.read_bytes() for file in sorted(folder.glob(f"{kind}-*.jpg"))] for kind in ("large", "small")}

    def measure(kind: str, seconds: float) -> tuple[float, float]:
        count, made, start = 0, [b""], time.perf_counter()
        while time.perf_counter() - start < seconds:
            made = [encode_square(content, style)[0] for content in photos[kind]]
            count += len(made)
        return count / (time.perf_counter() - start), sum(map(len, made)) / len(made)

    return measure


def start_peer(name: str, interpreter: Path, folder: Path) -> subprocess.Popen[str]:
    """Another program, waiting for what to measure."""
    command = [str(interpreter), "-W", "ignore", "-c", PEER, name, str(folder), str(SIDE), str(QUALITY)]
    # One core, as ours: threads over tiles would only help where other cores are idle.
    environment = {"VIPS_CONCURRENCY": "1", "OMP_NUM_THREADS": "1", "PATH": "/usr/bin:/bin"}
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=sys.stderr, text=True, env=environment
    )


def ask(peer: subprocess.Popen[str]) -> Measure:
    """What `peer` measures."""

    def measure(kind: str, seconds: float) -> tuple[float, float]:
        assert peer.stdin
        assert peer.stdout
        peer.stdin.write(f"{kind} {seconds}\n")
        peer.stdin.flush()
        found = json.loads(peer.stdout.readline())
        return found["rate"], found["bytes"]

    return measure


if __name__ == "__main__":
    main()
