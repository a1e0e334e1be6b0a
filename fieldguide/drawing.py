"""What all of our figures have in common: colours, a quiet frame, and files that are equal for equal figures.

Colours are told apart by colour-blind readers (Okabe and Ito's palette). Figures are drawn without pyplot, so nothing
is shared between them, and on white: the report inverts them in dark mode.
"""

import warnings
from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.axis import Axis, XAxis
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from fieldguide.files import written_whole

# A name with two dollar signs is no formula, and one with a broken formula in it ends the drawing.
matplotlib.rcParams["text.parse_math"] = False

BLUE, ORANGE, GREEN, GREY, INK = "#0072B2", "#D55E00", "#009E73", "#8A8F8C", "#22302A"
DPI = 144


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, whole or not at all, without a date in it."""
    with written_whole(path) as temporary, warnings.catch_warnings():
        # Names in scripts that the font lacks are drawn as boxes; a line for each of their letters helps nobody.
        warnings.filterwarnings("ignore", r"Glyph \d+", UserWarning)
        figure.savefig(temporary, format="png", dpi=DPI, facecolor="white", metadata={"Software": None})


def scale_by_logarithm(axis: Axis) -> None:
    """Scale `axes.xaxis` or `axes.yaxis` by logarithm, with plain numbers: powers of ten would be formulas."""
    scale = axis.axes.set_xscale if isinstance(axis, XAxis) else axis.axes.set_yscale
    scale("log")
    axis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.set_minor_formatter(NullFormatter())


def tidy_axes(axes: Axes) -> None:
    """Take away what the eye does not need."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GREY)
    axes.tick_params(labelsize=9, colors=INK, length=3)
    axes.grid(axis="y", color="#E3E7E4", linewidth=0.7)
    axes.set_axisbelow(True)
