"""Features as a map: photos that the network finds alike lie side by side, by t-SNE as openTSNE computes it.

van der Maaten and Hinton, Visualizing Data using t-SNE, 2008; Belkina et al., Automated optimized parameters for t-SNE,
2019, for the learning rate.
"""

import logging
from collections import Counter
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from openTSNE import TSNE
from sklearn.decomposition import PCA
from sklearn.preprocessing import normalize
from threadpoolctl import threadpool_limits

from fieldguide.catalogue.taxonomy import OTHER
from fieldguide.drawing import GREY, INK

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C6D1F", "#6A51A3")
"""Okabe and Ito's, yellow and black made a brown and a violet that show on light and dark."""
SHAPES = ("circle", "square", "triangle", "diamond")
MARKERS = {"circle": "o", "square": "s", "triangle": "^", "diamond": "D"}
NUM_STYLES = len(COLORS) * len(SHAPES)
"""Classes that get a colour and a shape of their own, those with the most photos; the others are grey."""
logging.getLogger("openTSNE").setLevel(logging.ERROR)
COMPONENTS = 50
PERPLEXITY = 30


def place_photos(features: np.ndarray) -> np.ndarray:
    """Places of features [n, dim] on the map: float64 [n, 2], each coordinate within [0, 1]; the same on any machine
    with the same libraries, however many cores it has."""
    num = len(features)
    if num < 3:
        return np.full((num, 2), 0.5)
    # Threads share sums in another order, and the last bits decide where a photo lands.
    with threadpool_limits(1):
        directions = normalize(np.asarray(features, np.float64))
        num_components = min(COMPONENTS, *directions.shape)
        reduced = PCA(num_components, svd_solver="full").fit_transform(directions)
        places = TSNE(
            perplexity=min(PERPLEXITY, (num - 1) / 3),
            initialization="pca",
            neighbors="exact",
            negative_gradient_method="bh",
            n_jobs=1,
            random_state=0,
        ).fit(reduced)
    low, high = places.min(axis=0), places.max(axis=0)
    scaled: np.ndarray = (np.asarray(places) - low) / np.maximum(high - low, 1e-12)
    return scaled


def style_classes(labels: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Colour and shape of those classes that have one, the most frequent first, of equals by name. `other` is grey."""
    counts = Counter(label for label in labels if label != OTHER)
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:NUM_STYLES]
    return {name: (COLORS[place % len(COLORS)], SHAPES[place // len(COLORS)]) for place, (name, _) in enumerate(ranked)}


def draw_map(places: np.ndarray, labels: Sequence[str], is_suspect: np.ndarray) -> Figure:
    """The map with its legend; suspects have a ring. `is_suspect` bool [n]."""
    styles = style_classes(labels)
    figure = Figure(figsize=(11, 7.4), layout="constrained")
    axes = figure.add_subplot()
    names = np.array(labels, dtype=object)
    grey = ~np.isin(names, list(styles))
    axes.scatter(places[grey, 0], places[grey, 1], s=12, color=GREY, linewidths=0, label=f"{OTHER}, and rare classes")
    for name, (color, shape) in styles.items():
        own = names == name
        axes.scatter(
            places[own, 0],
            places[own, 1],
            s=16,
            color=color,
            marker=MARKERS[shape],
            linewidths=0,
            alpha=0.85,
            label=name,
        )
    axes.scatter(
        places[is_suspect, 0],
        places[is_suspect, 1],
        s=70,
        facecolors="none",
        edgecolors=INK,
        linewidths=0.9,
        label="suspect",
    )
    axes.set_axis_off()
    axes.set_title(f"{len(places):,} photos by their embeddings", loc="left", fontsize=11, color=INK)
    figure.legend(loc="outside right upper", frameon=False, fontsize=8, ncols=1 + len(styles) // 20)
    return figure
