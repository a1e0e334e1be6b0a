"""Photos with features that tell their class, some of them under a wrong label."""

import numpy as np
import polars as pl

from fieldguide.review.examined import Examined

CLASSES = ["other", "Aster alpinus", "Aster bellus", "Linum album"]


def make_examined(num: int = 240, num_wrong: int = 6, seed: int = 1, spread: float = 0.6) -> tuple[Examined, list[int]]:
    """`num` photos of three classes, the last quarter of them val, and the training rows whose label is wrong."""
    random = np.random.default_rng(seed)
    truth = random.integers(1, 4, num)
    centres = random.normal(size=(4, 16)) * 2
    features = (centres[truth] + spread * random.normal(size=(num, 16))).astype(np.float32)
    wrong = sorted(random.choice(num * 3 // 4, num_wrong, replace=False).tolist())
    labels = truth.copy()
    labels[wrong] = truth[wrong] % 3 + 1
    table = pl.DataFrame(
        {
            "photo_id": [f"{row:016x}" for row in range(num)],
            "split": ["train" if row < num * 3 // 4 else "val" for row in range(num)],
            "position": list(range(num)),
            "class_index": labels,
            "group_id": [f"observation_id={row // 2}" for row in range(num)],
            "source": ["flora"] * num,
            "source_row": [f"rows.jsonl:{row + 1}" for row in range(num)],
        }
    )
    return Examined(table, features, CLASSES, {}), wrong
