"""drawing.py: what all figures have in common."""

import pytest
from matplotlib.figure import Figure

from fieldguide.drawing import scale_by_logarithm


@pytest.mark.parametrize("name", ["xaxis", "yaxis"])
def test_a_logarithmic_axis_has_plain_numbers(name: str) -> None:
    figure = Figure()
    axes = figure.subplots()
    axes.plot([1, 2000], [1, 2000])
    axis = getattr(axes, name)
    scale_by_logarithm(axis)
    figure.canvas.draw()
    assert [label.get_text() for label in axis.get_majorticklabels()][1:5] == ["1", "10", "100", "1000"]
    assert not any(label.get_text() for label in axis.get_minorticklabels())
