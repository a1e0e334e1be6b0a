"""The split of a made-up catalogue: no leaks, known classes, and a certificate that finds a planted leak."""

from pathlib import Path

import polars as pl
import pytest

from fieldguide.catalogue.leaks import count_leaks
from fieldguide.catalogue.splitting import Split
from fieldguide.catalogue.taxonomy import Taxonomy
from fieldguide.errors import CatalogueError, ParamsError
from fieldguide.params import load_section
from stages.split import SplitParams, split
from tests.stages.conftest import WriteFetch


@pytest.fixture
def params(tmp_path: Path) -> SplitParams:
    (tmp_path / "taxonomy.csv").write_text(
        "species,genus,family\n" + "".join(f"G{i // 2} s{i},G{i // 2},F\n" for i in range(4))
    )
    return SplitParams(
        ranks=["species", "genus", "family"],
        taxonomy=tmp_path / "taxonomy.csv",
        min_samples=20,
        ratios={Split.TRAIN: 0.6, Split.VAL: 0.2, Split.TEST: 0.2},
        salt="test",
        group_by=["observation_id"],
        given=None,
    )


@pytest.fixture
def folders(write_fetch: WriteFetch, tmp_path: Path) -> dict[str, Path]:
    """300 photos, 2 an observation, of 3 species with 90 and one with 30 that loses 20."""
    photos = [
        (
            str(number).encode(),
            {
                "label": f"G{(species := min(number // 90, 3)) // 2} s{species}",
                "observation_id": f"o{number // 2}",
                "region": ["EU", "US", None][number // 2 % 3] if species else "EU",
                "given_split": ["train", "val", "test"][number % 3],
            },
        )
        for number in range(300)
    ]
    fetch = write_fetch(photos)
    ids = [f"{number:016x}" for number in range(300)]
    kept = ["drop" if number >= 280 else "keep" for number in range(300)]
    clean = tmp_path / "clean"
    clean.mkdir()
    pl.DataFrame({"photo_id": ids, "verdict": kept, "cluster_id": ids}).write_parquet(clean / "verdicts.parquet")
    return {"fetch": fetch, "clean": clean}


def test_split(params: SplitParams, folders: dict[str, Path], tmp_path: Path) -> None:
    metrics = split(params, **folders, out=tmp_path / "split")
    assert {name: count for name, count in metrics.items() if name.startswith("leaked")} == {
        "leaked_urls": 0,
        "leaked_bytes": 0,
        "leaked_observations": 0,
        "leaked_groups": 0,
        "leaked_near_duplicates": 0,
    }
    assert sum(metrics["num_photos"].values()) == 280
    assert metrics["num_classes"] == {"species": 4, "genus": 3, "family": 2}
    assert metrics["num_bundled"] == 1
    rows = pl.read_parquet(tmp_path / "split" / "split.parquet")
    rare = rows.filter(pl.col("label") == "G1 s3")
    assert rare.select("species", "genus", "family").unique().rows() == [("other", "G1", "F")]
    taxonomy = Taxonomy.read(tmp_path / "split" / "taxonomy.json")
    assert taxonomy.regions["EU"] == ["other", "G0 s0", "G0 s1", "G1 s2"]
    assert "G0 s0" not in taxonomy.regions["US"]


def test_a_given_split_is_taken_and_its_leaks_are_told(
    params: SplitParams, folders: dict[str, Path], tmp_path: Path
) -> None:
    given = params.model_copy(update={"given": "given_split"})
    metrics = split(given, **folders, out=tmp_path / "split")
    rows = pl.read_parquet(tmp_path / "split" / "split.parquet")
    assert rows["split"].to_list()[:6] == ["train", "val", "test"] * 2
    assert metrics["leaked_observations"] == metrics["leaked_groups"] == 140
    assert metrics["leaked_urls"] == 0


def test_the_certificate_finds_a_photo_in_two_splits(
    params: SplitParams, folders: dict[str, Path], tmp_path: Path
) -> None:
    split(params, **folders, out=tmp_path / "split")
    table = tmp_path / "split" / "split.parquet"
    rows = pl.read_parquet(table)
    moved = rows.with_columns(
        pl.when(pl.int_range(pl.len()) == 0).then(pl.lit("elsewhere")).otherwise("split").alias("split")
    )
    moved.write_parquet(table)
    leaks = count_leaks(folders["fetch"] / "catalogue.parquet", folders["clean"] / "verdicts.parquet", table)
    assert leaks["leaked_observations"] == leaks["leaked_groups"] == 1


def test_bad_params_are_named(params: SplitParams, folders: dict[str, Path], tmp_path: Path) -> None:
    unknown = params.model_copy(update={"group_by": ["observer_name"]})
    with pytest.raises(CatalogueError, match=r"split\.group_by: no column 'observer_name'; found photo_id"):
        split(unknown, **folders, out=tmp_path / "split")
    file = tmp_path / "params.yaml"
    file.write_text(
        "split: {ranks: [species], taxonomy: null, min_samples: 1, ratios: {train: 0.5, val: 0.1, test: 0.1},"
        " salt: a, group_by: [], given: null}"
    )
    with pytest.raises(ParamsError, match=r"ratios must name train, val and test and sum to 1"):
        load_section(SplitParams, "split", file)


def test_nothing_kept_is_an_error(params: SplitParams, folders: dict[str, Path], tmp_path: Path) -> None:
    verdicts = folders["clean"] / "verdicts.parquet"
    pl.read_parquet(verdicts).with_columns(pl.lit("drop").alias("verdict")).write_parquet(verdicts)
    with pytest.raises(CatalogueError, match="none of 300 photos was kept"):
        split(params, **folders, out=tmp_path / "split")
