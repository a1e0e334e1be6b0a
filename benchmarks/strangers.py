"""Photos of what a guide does not know: what it says of them, and what tells them from its own.

    python -m benchmarks.strangers --root . --strangers FOLDER [FOLDER ...]

The guide is the student of a pipeline that has run; its own photos are the test photos, the strangers all photos below
the folders, in the squares that the guide makes of them. What decides is in fieldguide/evaluate/familiar.py; beside it
stands what else logits and pre-logits tell. AUROC is how often one of its own looks more familiar than a stranger,
FPR95 the share of strangers that look more familiar than the strangest twentieth of its own.
"""

import argparse
import io
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.special import logsumexp, softmax
from sklearn.metrics import roc_auc_score

import fieldguide
from fieldguide.errors import PhotoError
from fieldguide.export.inputs import normalise_squares
from fieldguide.inference.guide import Guide, Square
from fieldguide.records.reader import RecordSet

BATCH = 64
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")


def main() -> None:
    """Print what is said, and how well each measure tells."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, default=Path(), help="where a pipeline has run")
    parser.add_argument("--strangers", type=Path, nargs="+", required=True, help="folders of other photos")
    parser.add_argument("--most", type=int, default=1000, help="photos of a folder, evenly chosen")
    options = parser.parse_args()
    guide = fieldguide.load(options.root / "models" / "export", "torch")
    train, own = (read_records(options.root, split) for split in ("train", "test"))
    centres = find_centres(guide, options.root, train)
    found = {"its own test photos": look(guide, own, centres)}
    for folder in options.strangers:
        found[str(folder)] = look(guide, list(read_photos(guide, folder, options.most)), centres)
    print_said({name: verdicts for name, (verdicts, _) in found.items()})
    own_measures = found.pop("its own test photos")[1]
    for name, (_, measures) in found.items():
        print_apart(name, own_measures, measures)


def read_records(root: Path, split: str) -> list[Square]:
    """The squares of a split."""
    records = RecordSet.open(root / "interim" / "tfrecord", split)
    photos = (records[position] for position in range(len(records)))
    return [Square(np.asarray(Image.open(io.BytesIO(photo.image)).convert("RGB")), photo.box) for photo in photos]


def read_photos(guide: Guide, folder: Path, most: int) -> Iterator[Square]:
    """The squares that a guide makes of photos below a folder; what cannot be read is left out."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    for path in paths[:: max(1, len(paths) // most)]:
        try:
            yield guide.to_square(path)
        except PhotoError:
            continue


def find_centres(guide: Guide, root: Path, squares: list[Square]) -> np.ndarray:
    """The directions of the classes' training photos before the classifier: float32 [num_classes, dim]."""
    records = RecordSet.open(root / "interim" / "tfrecord", "train")
    labels = records.labels(guide.labels.ranks[0])
    features = np.concatenate([guide.runtime.see(to_inputs(guide, batch))[1] for batch in batches(squares)])
    return np.stack([normalised(features[labels == label].mean(axis=0)) for label in np.unique(labels)])


def look(guide: Guide, squares: list[Square], centres: np.ndarray) -> tuple[Counter[str], dict[str, np.ndarray]]:
    """What is said of photos, by rank or verdict, and each measure of how familiar they look: float64 [n]."""
    said: Counter[str] = Counter()
    logits, features = [], []
    num_first = len(guide.labels.classes[guide.labels.ranks[0]])
    for batch in batches(squares):
        for answer in guide.answer(batch):
            said[answer.taxon.rank if answer.verdict == "taxon" else str(answer.verdict)] += 1
        said_of, seen = guide.runtime.see(to_inputs(guide, batch))
        logits.append(said_of[:, :num_first].astype(np.float64))
        features.append(seen)
    z, x = np.concatenate(logits), np.concatenate(features)
    temperature = guide.calibration.temperatures[guide.labels.ranks[0]]
    return said, {
        **({"familiarity": guide.familiar.measure(x, z)} if guide.familiar else {}),
        "energy of logits": logsumexp(z, axis=1),
        "largest logit": z.max(axis=1),
        "largest probability": softmax(z / temperature, axis=1).max(axis=1),
        "spread of logits": z.max(axis=1) - z.mean(axis=1),
        "length before the classifier": np.linalg.norm(x, axis=1),
        "cosine with the nearest class": (normalised(x) @ centres.T).max(axis=1),
    }


def to_inputs(guide: Guide, squares: list[Square]) -> np.ndarray:
    """Squares as the network takes them: float32 [n, 3, side, side]."""
    style = guide.preprocessing
    images = normalise_squares(np.stack([each.pixels for each in squares]), style.image_size, style.mean, style.std)
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2))


def normalised(vectors: np.ndarray) -> np.ndarray:
    """The same of length 1."""
    unit: np.ndarray = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    return unit


def batches(squares: list[Square]) -> Iterator[list[Square]]:
    """All of them, some at a time."""
    return (squares[start : start + BATCH] for start in range(0, len(squares), BATCH))


def print_said(said: dict[str, Counter[str]]) -> None:
    """Shares of photos by what is said of them."""
    kinds = list(dict.fromkeys(kind for counts in said.values() for kind in counts))
    print("| photos | number |", " | ".join(kinds), "|")
    print("|---|---:|", "---:|" * len(kinds), sep="")
    for name, counts in said.items():
        shares = [f"{100 * counts[kind] / counts.total():.1f} %" for kind in kinds]
        print(f"| {name} | {counts.total():,} |", " | ".join(shares), "|")


def print_apart(name: str, own: dict[str, np.ndarray], strange: dict[str, np.ndarray]) -> None:
    """How well each measure tells strangers apart."""
    print(f"\n| {name} | AUROC | FPR95 % |\n|---|---:|---:|")
    for measure, values in own.items():
        both = np.concatenate([values, strange[measure]])
        truth = np.concatenate([np.ones(len(values)), np.zeros(len(strange[measure]))])
        passing = np.mean(strange[measure] >= np.quantile(values, 0.05, method="lower"))
        print(f"| {measure} | {roc_auc_score(truth, both):.3f} | {100 * passing:.1f} |")


if __name__ == "__main__":
    main()
