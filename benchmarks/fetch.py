"""Fetching and shrinking to 256 px against img2dataset, interleaved: photos per second, peak memory of all processes.

    python -m benchmarks.fetch --peers /tmp/peers/bin/python --photos 5000 --rounds 3
    python -m benchmarks.fetch --peers /tmp/peers/bin/python --photos 5000 --rounds 3 --failing 0.05 --slow 0.1

Both read one list of URLs from one server, keep the aspect ratio, leave small photos as they are and write JPEGs into
tars of 500. benchmarks/peers.txt says what the other interpreter needs.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import yaml

from fieldguide.params import read_params

ROOT = Path(__file__).parents[1]
SIDE = 256
WORKERS = 2
CONCURRENCY = 64
PER_SHARD = 500
NO_FILL = {"region": None, "licence": None, "rights_holder": None}

PEER = """
import sys
from img2dataset import download
if __name__ == "__main__":
    download(url_list=sys.argv[1], output_folder=sys.argv[2], processes_count=int(sys.argv[3]),
             thread_count=int(sys.argv[4]), image_size=int(sys.argv[5]), resize_mode="keep_ratio_largest",
             resize_only_if_bigger=True, output_format="webdataset", input_format="txt",
             number_sample_per_shard=int(sys.argv[6]), encode_quality=95, timeout=60, enable_wandb=False)
"""


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", type=Path, required=True, help="interpreter that has img2dataset")
    parser.add_argument("--photos", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--failing", default="0")
    parser.add_argument("--slow", default="0")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fieldguide-") as folder:
        work = Path(folder)
        options = ["--photos", str(arguments.photos), "--failing", arguments.failing, "--slow", arguments.slow]
        with serving(work / "urls.txt", options) as described:
            print(f"{arguments.photos:,} photos, {described}; failing {arguments.failing}, slow {arguments.slow}\n")
            print("| round | ours, photos/s | peak MB | photos | img2dataset, photos/s | peak MB | photos | ratio |")
            print("|---|---|---|---|---|---|---|---|", flush=True)
            ratios = []
            for number in range(1, arguments.rounds + 1):
                ours = measure(our_command(work), work / "ours", arguments.photos)
                peer = measure(peer_command(arguments.peers, work), work / "peer", arguments.photos)
                ratios.append(ours[0] / peer[0])
                cells = [f"{rate:.1f} | {peak:,.0f} | {count:,}" for rate, peak, count in (ours, peer)]
                print(f"| {number} | {cells[0]} | {cells[1]} | {ratios[-1]:.2f} |", flush=True)
            print(f"\nmedian ratio {statistics.median(ratios):.2f}")


@contextmanager
def serving(urls: Path, options: list[str]) -> Iterator[str]:
    """What the server says of its photos, while it runs."""
    command = [sys.executable, "-m", "benchmarks.photo_host", "--urls", str(urls), *options]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout
        yield server.stdout.readline().strip()
    finally:
        server.kill()
        server.wait()


def our_command(work: Path) -> list[str]:
    """The fetch stage in a folder of its own."""
    repository = work / "repository"
    (repository / "data").mkdir(parents=True, exist_ok=True)
    for name in ("stages", "fieldguide"):
        if not (repository / name).exists():
            (repository / name).symlink_to(ROOT / name)
    section = read_params(ROOT / "params.yaml")["fetch"]
    section |= {
        "sources": {"list": {"kind": "urls", "path": str(work / "urls.txt"), "fill": NO_FILL}},
        "max_side": SIDE,
        "photos_per_shard": PER_SHARD,
        "concurrency": CONCURRENCY,
        "host_concurrency": CONCURRENCY,
        "allow_private": True,
        "max_failure_rate": 1.0,
        "engine": {"backend": "loky", "workers": WORKERS},
    }
    (repository / "params.yaml").write_text(yaml.safe_dump({"fetch": section}), encoding="utf-8")
    return [sys.executable, "-m", "stages.fetch", "--data", "data", "--out", str(work / "ours")]


def peer_command(python: Path, work: Path) -> list[str]:
    """img2dataset with as many processes and as many requests at once."""
    (work / "peer.py").write_text(PEER, encoding="utf-8")
    threads = str(CONCURRENCY // WORKERS)
    arguments = [str(work / "urls.txt"), str(work / "peer"), str(WORKERS), threads, str(SIDE), str(PER_SHARD)]
    return [str(python), "-W", "ignore", str(work / "peer.py"), *arguments]


def measure(command: list[str], out: Path, num_photos: int) -> tuple[float, float, int]:
    """Photos asked for per second, peak MB of the process and its children, photos that were written."""
    shutil.rmtree(out, ignore_errors=True)
    # As the peer's wandb, MLflow is off.
    seconds, peak = measure_process(command, out.parent / "repository", FIELDGUIDE_TRACKING="off")
    return num_photos / seconds, peak, count_photos(out)


def measure_process(command: list[str], folder: Path, **variables: str) -> tuple[float, float]:
    """Seconds and peak MB of a command, run in `folder` with these environment variables, and its children."""
    environment = {**os.environ, "NO_ALBUMENTATIONS_UPDATE": "1", **variables}
    environment["MLFLOW_TRACKING_URI"] = f"sqlite:///{folder}/mlflow.db"
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    peak = [0]
    watcher = threading.Thread(target=watch_memory, args=(process.pid, peak))
    watcher.start()
    _, errors = process.communicate()
    seconds = time.perf_counter() - started
    watcher.join()
    if process.returncode:
        raise SystemExit(f"{command[0]} failed:\n{errors.decode()[-3000:]}")
    return seconds, peak[0] / 1e6


def watch_memory(pid: int, peak: list[int]) -> None:
    """Write into `peak` the most memory that a process and its children held at one time, bytes; shared pages once."""
    try:
        while True:
            process = psutil.Process(pid)
            held = 0
            for one in (process, *process.children(recursive=True)):
                try:
                    held += one.memory_full_info().pss
                except psutil.Error:
                    continue
            peak[0] = max(peak[0], held)
            if process.status() == psutil.STATUS_ZOMBIE:
                return
            time.sleep(0.5)
    except psutil.NoSuchProcess:
        return


def count_photos(out: Path) -> int:
    """JPEGs in the tars below `out`."""
    num = 0
    for path in out.rglob("*.tar"):
        with tarfile.open(path) as archive:
            num += sum(member.name.endswith(".jpg") for member in archive)
    return num


if __name__ == "__main__":
    main()
