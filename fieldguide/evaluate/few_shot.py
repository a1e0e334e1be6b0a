"""How well the frozen embeddings tell species apart that nothing was trained on, from one or a few photos of each.

The nearest mean of centred, normalised features, as in Wang et al., SimpleShot: Revisiting Nearest-Neighbor
Classification for Few-Shot Learning, arXiv 1911.04623 (CL2N).
"""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from sklearn.preprocessing import normalize

from fieldguide.evaluate.knn import PIECE_ROWS
from fieldguide.evaluate.params import FewShotParams
from fieldguide.evaluate.rates import DIGITS
from fieldguide.learn.embedded import read_embeddings
from fieldguide.records.reader import RecordSet


def judge_embeddings(
    split: Path, embed: Path, train: RecordSet, unseen: RecordSet, params: FewShotParams
) -> dict[str, Any]:
    """`score_few_shot` of the photos of `unseen`, from the folders of the split and embed stages."""
    rows = pl.scan_parquet(split / "split.parquet").filter(pl.col("split") == unseen.split)
    # Their class is `other`; the name that the source gave is what tells them apart.
    photos = pl.DataFrame({"photo_id": unseen.photo_ids}).join(
        rows.select("photo_id", "label", "group_id").collect(), on="photo_id", maintain_order="left"
    )
    labels, groups = (photos[name].rank("dense").to_numpy().astype(np.int64) - 1 for name in ("label", "group_id"))
    # Summed as they are read: a copy of all training features in another type might not fit into memory.
    centre = read_embeddings(embed, train).mean(axis=0, dtype=np.float64)
    return score_few_shot(read_embeddings(embed, unseen), labels, groups, centre, params)


def score_few_shot(
    features: np.ndarray, labels: np.ndarray, groups: np.ndarray, centre: np.ndarray, params: FewShotParams
) -> dict[str, Any]:
    """Mean and spread of top-1 over the draws, for each number of examples: {"1_shot": {...}, ...}.

    `features` float [n, dim] are of photos of unseen species, `labels` int64 [n] the species from 0 and `groups` int64
    [n] the group of each. `centre` float [dim] is the mean feature of the training photos. A group gives one example at
    most, and its other photos are not asked about; a species needs one group more than there are examples.
    """
    features = normalize(np.asarray(features, np.float32) - centre)
    scores = {}
    for shots in params.shots:
        random = np.random.default_rng([params.seed, shots])
        draws = [draw_examples(labels, groups, shots, random) for _ in range(params.draws)]
        tried = [_tell_apart(features, labels, groups, examples) for examples in draws if len(examples)]
        if tried:
            scores[f"{shots}_shot"] = {
                "top1": round(float(np.mean(tried)), DIGITS),
                "top1_std": round(float(np.std(tried)), DIGITS),
                "num_species": len(draws[0]) // shots,
            }
    return scores


def draw_examples(labels: np.ndarray, groups: np.ndarray, shots: int, random: np.random.Generator) -> np.ndarray:
    """`shots` photos of every species that has more groups than that, no two of one group: positions int64 [m]."""
    order = random.permutation(len(labels))
    _, firsts = np.unique(groups[order], return_index=True)
    # One photo stands for each group; by species, in the order drawn.
    offered = order[np.sort(firsts)]
    offered = offered[np.argsort(labels[offered], kind="stable")]
    counts = np.bincount(labels[offered], minlength=labels.max(initial=-1) + 1)
    place = np.arange(len(offered)) - (np.cumsum(counts) - counts)[labels[offered]]
    chosen: np.ndarray = offered[(place < shots) & (counts[labels[offered]] > shots)]
    return chosen


def _tell_apart(features: np.ndarray, labels: np.ndarray, groups: np.ndarray, examples: np.ndarray) -> float:
    """Share of the photos outside of the examples' groups whose nearest mean is that of their species."""
    species, of_example, counts = np.unique(labels[examples], return_inverse=True, return_counts=True)
    means = np.zeros((len(species), features.shape[1]), np.float32)
    np.add.at(means, of_example, features[examples])
    means /= counts[:, None].astype(np.float32)
    asked = np.flatnonzero(np.isin(labels, species) & ~np.isin(groups, groups[examples]))
    num_right = 0
    for start in range(0, len(asked), PIECE_ROWS):
        piece = asked[start : start + PIECE_ROWS]
        # |a - b|^2 without |a|^2, which is the same for all means.
        distances = (means**2).sum(axis=1) - 2 * features[piece] @ means.T
        num_right += int((species[distances.argmin(axis=1)] == labels[piece]).sum())
    return num_right / len(asked)
