"""Recall and precision of near-duplicates planted among real photographs, beside imagededup's pHash.

    python -m benchmarks.near_duplicates --photos FOLDER --peers /tmp/peers/bin/python

Of every tenth photo one copy is planted for each of EDITS. A pair counts as found if both stand in one cluster; every
pair of one cluster that is not a photo with a copy of its own, or two copies of one, is a false one. Photos of the set
that are copies of each other already would count as false: of these, all clusters found before anything was planted
are taken out first.
"""

import argparse
import io
import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
from PIL import Image, ImageDraw, ImageEnhance

from fieldguide.clean.candidates import Edges
from fieldguide.clean.near_duplicates import cluster_near_duplicates
from fieldguide.images.fingerprints import fingerprint, stack_fingerprints
from fieldguide.images.likeness import compare, look

OURS = (24, 31, 40)
"""clean.near_duplicate_distance, bits of 256."""
PEERS = (4, 8, 10, 12)
"""Bits of 64; imagededup's default is 10."""

PEER = """
import json, sys
from imagededup.methods import PHash
hasher = PHash(verbose=False)
codes = hasher.encode_images(image_dir=sys.argv[1])
found = {}
for distance in map(int, sys.argv[3:]):
    found[distance] = hasher.find_duplicates(encoding_map=codes, max_distance_threshold=distance)
json.dump(found, open(sys.argv[2], "w"))
"""


def recompress(quality: int) -> Callable[[Image.Image], Image.Image]:
    """Through JPEG at `quality`."""

    def edit(image: Image.Image) -> Image.Image:
        stream = io.BytesIO()
        image.save(stream, "JPEG", quality=quality)
        return Image.open(stream).convert("RGB")

    return edit


def rescale(factor: float) -> Callable[[Image.Image], Image.Image]:
    """To `factor` times the size."""
    return lambda image: image.resize(
        (round(image.width * factor), round(image.height * factor)), Image.Resampling.LANCZOS
    )


def crop(image: Image.Image) -> Image.Image:
    """5 % of the area off the frame."""
    cut = (1 - 0.95**0.5) / 2
    return image.crop(
        (
            round(image.width * cut),
            round(image.height * cut),
            round(image.width * (1 - cut)),
            round(image.height * (1 - cut)),
        )
    )


def brighten(factor: float) -> Callable[[Image.Image], Image.Image]:
    """`factor` times as bright."""
    return lambda image: ImageEnhance.Brightness(image).enhance(factor)


def mark(image: Image.Image) -> Image.Image:
    """A half-transparent line of text across the lower third."""
    layer = Image.new("RGBA", image.size, (0, 0, 0, 0))
    draw = ImageDraw.Draw(layer)
    size = image.height // 14
    draw.text(
        (image.width // 10, image.height * 2 // 3), "photo by somebody", fill=(255, 255, 255, 150), font_size=size
    )
    return Image.alpha_composite(image.convert("RGBA"), layer).convert("RGB")


EDITS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "JPEG quality 30": recompress(30),
    "JPEG quality 60": recompress(60),
    "JPEG quality 95": recompress(95),
    "size x0.25": rescale(0.25),
    "size x0.5": rescale(0.5),
    "size x2": rescale(2),
    "5 % cropped": crop,
    "brightness -20 %": brighten(0.8),
    "brightness +20 %": brighten(1.2),
    "watermark": mark,
}


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--peers", type=Path, help="interpreter that has imagededup")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fieldguide-") as folder:
        names = plant(sorted(arguments.photos.rglob("*.jpg")), Path(folder))
        truth = [name.partition("+") for name in names]
        planted = {(first, name) for name, (first, plus, _) in zip(names, truth, strict=True) if plus}
        print(f"{len(names) - len(planted):,} photos, {len(planted):,} copies\n")
        header = " | ".join(EDITS)
        print(f"| | recall | precision | {header} |\n|{'---|' * (len(EDITS) + 3)}")
        images = [Image.open(Path(folder) / f"{name}.png").convert("RGB") for name in names]
        # What is too plain has no fingerprint and is nobody's copy.
        prints = {name: bits for name, image in zip(names, images, strict=True) if (bits := fingerprint(image))}
        looks = [look(image) for name, image in zip(names, images, strict=True) if name in prints]

        def look_at(edges: Edges, places: pl.DataFrame) -> npt.NDArray[np.bool_]:
            return np.array([compare(looks[one], looks[other]).is_same for one, other in edges[:2].T], np.bool_)

        for distance in OURS:
            stacked = stack_fingerprints(pl.Series(list(prints.values()), dtype=pl.Binary))
            clusters = cluster_near_duplicates(stacked, pl.DataFrame(), distance, look_at)
            report(f"ours, {distance} of 256 bits", pairs_of(clusters.first.tolist(), list(prints)), planted)
        if arguments.peers:
            out = Path(folder) / "peer.json"
            command = [str(arguments.peers), "-W", "ignore", "-c", PEER, folder, str(out), *map(str, PEERS)]
            subprocess.run(command, check=True, stdout=sys.stderr)
            for distance, found in json.loads(out.read_text()).items():
                pairs = {
                    tuple(sorted((name.removesuffix(".png"), other.removesuffix(".png"))))
                    for name, others in found.items()
                    for other in others
                }
                report(f"imagededup pHash, {distance} of 64 bits", pairs, planted)


def plant(photos: list[Path], folder: Path) -> list[str]:
    """Write all photos, and copies of every tenth, as PNG; their names, copies as `NAME+EDIT`."""
    names = []
    for number, path in enumerate(photos):
        image = Image.open(path).convert("RGB")
        name = f"{number:05d}"
        image.save(folder / f"{name}.png", compress_level=1)
        names.append(name)
        if number % 10 == 0:
            for position, edit in enumerate(EDITS.values()):
                edit(image).save(folder / f"{name}+{position}.png", compress_level=1)
                names.append(f"{name}+{position}")
    return names


def pairs_of(first: list[int], names: list[str]) -> set[tuple[str, ...]]:
    """All pairs within clusters."""
    members = defaultdict(list)
    for name, start in zip(names, first, strict=True):
        members[start].append(name)
    return {tuple(sorted(pair)) for cluster in members.values() for pair in combinations(cluster, 2)}


def report(title: str, found: set[tuple[str, ...]], planted: set[tuple[str, str]]) -> None:
    """One line of the table."""
    # Strangers that the untouched set holds already are no fault of what was planted.
    own = {pair for pair in found if not any("+" in name for name in pair)}
    alike = {name for pair in own for name in pair}
    false = [
        pair
        for pair in found - own
        if pair[0].partition("+")[0] != pair[1].partition("+")[0]
        and not alike & {pair[0].partition("+")[0], pair[1].partition("+")[0]}
    ]
    hits = planted & found
    by_edit = []
    for position in range(len(EDITS)):
        wanted = {pair for pair in planted if pair[1].endswith(f"+{position}")}
        by_edit.append(f"{len(wanted & found) / len(wanted):.3f}")
    true = len(found - own) - len(false)
    recall, precision = len(hits) / len(planted), true / max(true + len(false), 1)
    print(f"| {title} | {recall:.3f} | {precision:.4f} | {' | '.join(by_edit)} |", flush=True)


if __name__ == "__main__":
    main()
