"""Whether a vision transformer looks at the padding around photos: numbers and a picture for the report."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from fieldguide.drawing import GREY, INK
from fieldguide.learn.attention import PaddingLooks

NUM_SHOWN = 8
"""Photos in the picture."""
NUM_COLUMNS = 2
"""Photos side by side, each with its two maps."""


def score_attention(looks: PaddingLooks) -> dict[str, Any]:
    """For the metrics: how much of the patches, and how much of the attention, is padding.

    A model that cared as much for padding as for the photo would have `on_padding_unmasked` equal to `padding`.
    """
    return {
        "num_photos": len(looks.images),
        "padding": float(looks.is_padding.mean()),
        "on_padding_unmasked": looks.on_padding(looks.unmasked),
        "on_padding_masked": looks.on_padding(looks.masked),
    }


def draw_attention(looks: PaddingLooks, title: str) -> Figure:
    """Some photos, each beside what is looked at without and with masked padding: the brighter, the more."""
    num = min(NUM_SHOWN, len(looks.images))
    rows = -(-num // NUM_COLUMNS)
    figure = Figure(figsize=(9.2, 0.7 + 1.6 * rows), layout="constrained")
    figure.suptitle(f"{title}: what is looked at (attention rollout)", x=0.01, ha="left", fontsize=11, color=INK)
    grid = figure.subplots(rows, 3 * NUM_COLUMNS, squeeze=False)
    for axes in grid.flat[3 * num :]:
        axes.set_axis_off()
    for place in range(num):
        row, column = divmod(place, NUM_COLUMNS)
        photo, unmasked, masked = grid[row, 3 * column : 3 * column + 3]
        image = looks.images[place]
        photo.imshow(image)
        for axes in (photo, unmasked, masked):
            axes.set_xticks([])
            axes.set_yticks([])
            # Padding may be as white as the page.
            axes.spines[:].set(color=GREY, linewidth=0.5)
        _lay_over(unmasked, image, looks.unmasked[place])
        _lay_over(masked, image, looks.masked[place])
        if row == 0:
            for axes, name in ((photo, "square"), (unmasked, "not masked"), (masked, "masked")):
                axes.set_title(name, fontsize=8, color=INK)
    return figure


def _lay_over(axes: Axes, image: np.ndarray, shares: np.ndarray) -> None:
    """`image` uint8 [S, S, 3], grey, below a heat map of `shares` [rows, columns], smoothed as it is enlarged."""
    size = (image.shape[1], image.shape[0])
    heat = np.asarray(Image.fromarray(shares / shares.max()).resize(size, Image.Resampling.BICUBIC))
    axes.imshow(image.mean(axis=2), cmap="gray", vmin=0, vmax=255)
    axes.imshow(heat, cmap="inferno", vmin=0, vmax=1, alpha=0.6)
