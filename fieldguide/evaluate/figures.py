"""The pictures of the report: confusion matrix, reliability diagram, accuracy against training photos."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, PowerNorm
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, PercentFormatter
from scipy.sparse import csr_array

from fieldguide.drawing import BLUE, GREY, INK, ORANGE, scale_by_logarithm, tidy_axes
from fieldguide.evaluate.metrics import Reliability

FEW_CLASSES = 40
"""Up to so many classes every cell of the confusion matrix is shown with its number."""
MAX_PIXELS = 480
"""More classes than this are drawn several to a cell."""
MAX_BLOCK_NAMES = 28
MAX_POINT_NAMES = 25


def draw_confusion(counts: csr_array, names: Sequence[str], blocks: Sequence[str], title: str) -> Figure:
    """Actual classes down, predicted ones across, both in the order given: `counts` int64 [num_classes, num_classes].

    `blocks` names the group (family) of each class; neighbours of one group are framed together. Shades are shares of
    the actual class, so that rare classes show as clearly as common ones.
    """
    if len(names) <= FEW_CLASSES:
        return _draw_every_cell(counts.toarray(), names, blocks, title)
    return _draw_overview(counts, blocks, title)


def _draw_every_cell(counts: np.ndarray, names: Sequence[str], blocks: Sequence[str], title: str) -> Figure:
    size = 2.6 + 0.34 * len(names)
    figure = Figure(figsize=(size + 1.0, size), layout="constrained")
    axes = figure.add_subplot()
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", norm=PowerNorm(0.5, 0, 1))
    for row, column in np.argwhere(counts):
        color = "white" if shares[row, column] > 0.4 else INK
        axes.text(column, row, str(counts[row, column]), ha="center", va="center", fontsize=8, color=color)
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right", rotation_mode="anchor", style="italic")
    axes.set_yticks(range(len(names)), names, style="italic")
    for start, end, name in _spans(blocks):
        for edge in (start, end):
            axes.axhline(edge - 0.5, color=GREY, linewidth=0.6)
            axes.axvline(edge - 0.5, color=GREY, linewidth=0.6)
        axes.text(len(names) - 0.3, (start + end - 1) / 2, name, va="center", fontsize=8, color=INK)
    _label_matrix(axes, title)
    return figure


def _draw_overview(counts: csr_array, blocks: Sequence[str], title: str) -> Figure:
    num_classes = counts.shape[0]
    step = -(-num_classes // MAX_PIXELS)
    cells = counts.tocoo()
    shares = cells.data / np.maximum(counts.sum(axis=1), 1)[cells.row]
    size = -(-num_classes // step)
    image = np.zeros((size, size))
    # The largest share in a cell, not the mean: a single bad confusion must stay visible.
    np.maximum.at(image, (cells.row // step, cells.col // step), shares)
    figure = Figure(figsize=(9.5, 8.2), layout="constrained")
    axes = figure.add_subplot()
    shown = np.ma.masked_equal(image, 0)
    extent = (0, num_classes, num_classes, 0)
    picture = axes.imshow(shown, cmap="viridis_r", norm=LogNorm(0.01, 1), extent=extent, interpolation="nearest")
    axes.set_facecolor("#F4F6F4")
    spans = _spans(blocks)
    for start, end, _ in spans:
        box = ([start, end, end, start, start], [start, start, end, end, start])
        axes.plot(*box, color=GREY, linewidth=0.5)
    largest = sorted(spans, key=lambda span: span[0] - span[1])[:MAX_BLOCK_NAMES]
    apart = num_classes / (MAX_BLOCK_NAMES + 4)
    ticks: list[tuple[float, str]] = []
    for start, end, name in sorted(largest):
        if not ticks or (start + end) / 2 - ticks[-1][0] >= apart:
            ticks.append(((start + end) / 2, name))
    places, labels = [place for place, _ in ticks], [name for _, name in ticks]
    axes.set_xticks(places, labels, rotation=60, ha="right", rotation_mode="anchor")
    axes.set_yticks(places, labels)
    bar = figure.colorbar(picture, ax=axes, shrink=0.6, format=PercentFormatter(1))
    bar.set_label("share of the actual class")
    bar.outline.set_visible(False)
    _label_matrix(axes, f"{title}, {num_classes} classes")
    return figure


def _label_matrix(axes: Axes, title: str) -> None:
    axes.set_title(title, loc="left", fontsize=11, color=INK)
    axes.set_xlabel("predicted")
    axes.set_ylabel("actual")
    axes.tick_params(length=0, labelsize=8, colors=INK)
    axes.spines[:].set_visible(False)


def _spans(blocks: Sequence[str]) -> list[tuple[int, int, str]]:
    """Start, end and name of every run of equal names."""
    spans: list[tuple[int, int, str]] = []
    for place, name in enumerate(blocks):
        if spans and spans[-1][2] == name:
            spans[-1] = (spans[-1][0], place + 1, name)
        else:
            spans.append((place, place + 1, name))
    return spans


def draw_reliability(raw: Reliability, calibrated: Reliability, temperature: float, title: str) -> Figure:
    """Accuracy against confidence, before and after temperature scaling, over a histogram of the confidences."""
    figure = Figure(figsize=(5.2, 5.8), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    num_bins = len(raw.counts)
    centers = (np.arange(num_bins) + 0.5) / num_bins
    above.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=(0, (4, 3)), label="perfectly honest")
    for reliability, color, marker, label in (
        (raw, ORANGE, "o", f"as trained, ECE {raw.ece:.3f}"),
        (calibrated, BLUE, "D", f"at T = {temperature:.2f}, ECE {calibrated.ece:.3f}"),
    ):
        filled = reliability.counts > 0
        confidence, accuracy = reliability.confidence[filled], reliability.accuracy[filled]
        area = 14 + 110 * reliability.counts[filled] / max(1, reliability.counts.max())
        above.vlines(confidence, confidence, accuracy, color=color, linewidth=1, alpha=0.45)
        above.scatter(confidence, accuracy, area, color=color, marker=marker, zorder=3, linewidth=0)
        above.plot([], [], marker, color=color, markersize=6, label=label)
        below.step(centers, reliability.counts, where="mid", color=color, linewidth=1.4)
        below.fill_between(centers, reliability.counts, step="mid", color=color, alpha=0.12, linewidth=0)
    above.set(xlim=(0, 1.02), ylim=(0, 1.02), ylabel="accuracy")
    above.yaxis.set_major_formatter(PercentFormatter(1))
    above.legend(frameon=False, fontsize=9, loc="upper left")
    above.set_title(title, loc="left", fontsize=11, color=INK)
    below.set(xlabel="confidence", ylabel="photos")
    below.xaxis.set_major_formatter(PercentFormatter(1))
    for axes in (above, below):
        tidy_axes(axes)
    return figure


def draw_accuracy_by_count(
    num_train: np.ndarray, accuracy: np.ndarray, names: Sequence[str], bounds: tuple[int, int], title: str
) -> Figure:
    """Accuracy of every class against its training photos (log scale), and the mean of few, medium and many.

    `num_train` int64 and `accuracy` float64 are [num_classes] of the classes with test photos; `bounds` divide few from
    medium and medium from many.
    """
    figure = Figure(figsize=(9.5, 4.4), layout="constrained")
    axes = figure.add_subplot()
    counts = np.maximum(num_train, 1)
    faint = 0.9 if len(names) <= MAX_POINT_NAMES else max(0.15, min(0.6, 300 / len(names)))
    axes.scatter(counts, accuracy, 26, color=BLUE, alpha=faint, linewidth=0, zorder=3, clip_on=False)
    left, right = min(counts.min(), bounds[0]) / 1.6, max(counts.max(), bounds[1]) * 1.6
    scale_by_logarithm(axes.xaxis)
    if len(names) <= MAX_POINT_NAMES:
        _name_points(axes, np.log(counts / left) / np.log(right / left), counts, accuracy, names)
    edges = [left, *bounds, right]
    belongs = np.digitize(num_train, [bounds[0], bounds[1] + 1])
    for place, name in enumerate(("few", "medium", "many")):
        start, end = edges[place], edges[place + 1]
        if place:
            axes.axvline(start, color=GREY, linewidth=0.8, linestyle=(0, (2, 3)))
        middle = (start * end) ** 0.5
        axes.text(middle, 1.12, name, ha="center", fontsize=9, color=INK)
        if (belongs == place).any():
            mean = float(accuracy[belongs == place].mean())
            axes.hlines(mean, start, end, color=ORANGE, linewidth=1.6, alpha=0.8, zorder=2)
            axes.text(middle, 1.055, f"mean {mean:.0%}", ha="center", fontsize=9, color=ORANGE)
    axes.set(xlim=(left, right), ylim=(0, 1.02), xlabel="training photos of the class", ylabel="accuracy")
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.set_title(title, loc="left", fontsize=11, color=INK, pad=40)
    tidy_axes(axes)
    return figure


def _name_points(
    axes: Axes, across: np.ndarray, counts: np.ndarray, accuracy: np.ndarray, names: Sequence[str]
) -> None:
    """Write each point's name where it covers no earlier one; `across` is the point's place on the axis in [0, 1]."""
    taken: list[tuple[float, float, float]] = []
    for x, count, value, name in zip(across, counts, accuracy, names, strict=True):
        # In points: the axes are about 620 x 220, a 7 pt letter is 3.6 wide, a line 9 high.
        middle, half = x * 620, len(name) * 1.9
        lines = [line for line in (6, -13, 16, -23, 26, -33, -43) if value * 220 + line < 224] or [-13]
        free = [
            line
            for line in lines
            if all(abs(middle - m) > half + h or abs(value * 220 + line - y) > 9 for m, h, y in taken)
        ]
        line = (free or lines)[0]
        taken.append((middle, half, value * 220 + line))
        axes.annotate(
            name,
            (count, value),
            (0, line),
            textcoords="offset points",
            ha="center",
            fontsize=7,
            color=INK,
            style="italic",
        )
