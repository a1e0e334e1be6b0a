"""Every size of split gives a picture, and the same one each time."""

from pathlib import Path

import polars as pl
import pytest
from PIL import Image

from fieldguide.drawing import save_figure
from fieldguide.split.charts import draw_long_tail, draw_regions
from fieldguide.split.params import FrequencyParams
from fieldguide.split.statistics import count_per_bin, count_per_class, describe_regions
from tests.split.test_splitting import photos

FREQUENCY = FrequencyParams(few_below=5, many_above=50)


@pytest.mark.parametrize("num_regions", [0, 1, 40])
def test_draws_the_same_readable_picture_each_time(tmp_path: Path, num_regions: int) -> None:
    rows = photos(common=200, rare=30, tiny=3)
    names = [f"R{number % num_regions}" if num_regions else None for number in range(len(rows))]
    rows = rows.with_columns(pl.Series("region", names, pl.String), licence=pl.lit("CC0-1.0"), species="label")
    classes = ["other", "common", "rare", "tiny"]
    per_class = count_per_class(rows, "species", classes, FREQUENCY)
    assert per_class["class"].to_list() == classes
    assert count_per_bin(per_class)["few"]["num_classes"] == 2
    regions = describe_regions(rows, "species", dict.fromkeys(sorted({name for name in names if name}), classes))
    assert len(regions) == num_regions + 1
    for name in ("one", "two"):
        save_figure(draw_long_tail(per_class, FREQUENCY), tmp_path / f"{name}-tail.png")
        save_figure(draw_regions(regions), tmp_path / f"{name}-regions.png")
    for kind in ("tail", "regions"):
        one, two = (tmp_path / f"{name}-{kind}.png" for name in ("one", "two"))
        assert one.read_bytes() == two.read_bytes()
        with Image.open(one) as picture:
            assert min(picture.size) > 200
