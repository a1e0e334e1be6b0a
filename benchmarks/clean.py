"""Cleaning the same files as cleanvision with imagededup's pHash, interleaved: photos per second and peak memory.

    python -m benchmarks.clean --peers /tmp/peers/bin/python --photos 1000 --rounds 3

Ours is the clean stage over fetched photos: decoding, flaws, quality, fingerprints, duplicates, verdicts, page. Theirs
is cleanvision's default issues, which find dark, light, blurry, low-information, odd and duplicate files, then
imagededup's pHash for near-duplicates at its default distance. Every process starts anew.
"""

import argparse
import io
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

import numpy as np
import yaml
from PIL import Image

from benchmarks.fetch import NO_FILL, ROOT, WORKERS, measure_process
from benchmarks.photo_host import draw_photos
from fieldguide.params import read_params

PEER = """
import sys
if __name__ == "__main__":
    from cleanvision import Imagelab
    from imagededup.methods import PHash
    lab = Imagelab(data_path=sys.argv[1])
    lab.find_issues(n_jobs=int(sys.argv[2]), verbose=False)
    hasher = PHash(verbose=False)
    codes = hasher.encode_images(image_dir=sys.argv[1], num_enc_workers=int(sys.argv[2]))
    hasher.find_duplicates(encoding_map=codes, num_dist_workers=int(sys.argv[2]))
"""


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", type=Path, required=True, help="interpreter that has cleanvision and imagededup")
    parser.add_argument("--photos", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fieldguide-") as folder:
        work = Path(folder)
        write_photos(work / "photos" / "all", arguments.photos)
        repository = write_repository(work)
        fetch = [sys.executable, "-m", "stages.fetch", "--data", "data", "--out", "fetch"]
        measure_process(fetch, repository)
        clean = [sys.executable, "-m", "stages.clean", "--fetch", "fetch", "--out", "clean", "--reports", "reports"]
        (work / "peer.py").write_text(PEER, encoding="utf-8")
        peer = [str(arguments.peers), "-W", "ignore", str(work / "peer.py"), str(work / "photos" / "all"), str(WORKERS)]
        print("| round | ours, photos/s | peak MB | cleanvision + imagededup, photos/s | peak MB | ratio |")
        print("|---|---|---|---|---|---|", flush=True)
        ratios = []
        for number in range(1, arguments.rounds + 1):
            shutil.rmtree(repository / "clean", ignore_errors=True)
            ours, theirs = measure_process(clean, repository), measure_process(peer, repository)
            ratios.append(theirs[0] / ours[0])
            cells = [f"{arguments.photos / seconds:.1f} | {peak:,.0f}" for seconds, peak in (ours, theirs)]
            print(f"| {number} | {cells[0]} | {cells[1]} | {ratios[-1]:.2f} |", flush=True)
        print(f"\nmedian ratio {statistics.median(ratios):.2f}")


def write_photos(folder: Path, num_photos: int) -> None:
    """JPEGs with the sizes of photographs, each another part of one of a few dozen pictures."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(5)
    pictures = [Image.open(io.BytesIO(content)) for content in draw_photos()]
    for number in range(num_photos):
        picture = pictures[number % len(pictures)]
        width, height = (round(side * random.uniform(0.7, 1)) for side in picture.size)
        left, top = (int(random.integers(0, gap + 1)) for gap in (picture.width - width, picture.height - height))
        part = picture.crop((left, top, left + width, top + height))
        part.rotate(90 * int(random.integers(0, 4)), expand=True).save(folder / f"{number}.jpg", quality=88)


def write_repository(work: Path) -> Path:
    """A folder in which stages run, with the photos as its source."""
    repository = work / "repository"
    (repository / "data").mkdir(parents=True)
    for name in ("stages", "fieldguide"):
        (repository / name).symlink_to(ROOT / name)
    params = read_params(ROOT / "params.yaml")
    engine = {"backend": "loky", "workers": WORKERS}
    source = {"kind": "folders", "roots": [str(work / "photos")], "pattern": None, "fill": NO_FILL}
    params["fetch"] |= {"sources": {"all": source}, "engine": engine}
    params["clean"] |= {"production_only": False, "engine": engine}
    (repository / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    return repository


if __name__ == "__main__":
    main()
