"""The split of a made-up catalogue: no leaks, known classes, and a certificate that finds a planted leak."""

from pathlib import Path

import polars as pl
import pytest

from fieldguide.catalogue.splits import Split
from fieldguide.catalogue.taxonomy import Taxonomy
from fieldguide.catalogue.taxonomy_table import TaxonomyTable
from fieldguide.errors import CatalogueError, ParamsError
from fieldguide.params import load_section
from fieldguide.split.leaks import count_leaks
from fieldguide.split.params import FrequencyParams, HeldOutParams, SplitParams
from stages.split import split
from tests.stages.conftest import WriteFetch

Folders = dict[str, Path]


@pytest.fixture
def params(tmp_path: Path) -> SplitParams:
    (tmp_path / "taxonomy.csv").write_text(
        "species,genus,family\n" + "".join(f"G{i // 2} s{i},G{i // 2},F\n" for i in range(4))
    )
    return SplitParams(
        ranks=["species", "genus", "family"],
        taxonomy=TaxonomyTable(path=tmp_path / "taxonomy.csv", columns={}, vernacular=[], synonyms=None),
        min_samples=20,
        ratios={Split.TRAIN: 0.6, Split.VAL: 0.2, Split.TEST: 0.2},
        min_eval_photos=0,
        salt="test",
        group_by=["observation_id"],
        given=None,
        held_out=HeldOutParams(unseen_fraction=0, unseen=None, seen=None, blank=[]),
        class_cap=None,
        train_small=0,
        frequency=FrequencyParams(few_below=50, many_above=60),
    )


@pytest.fixture
def folders(write_fetch: WriteFetch, tmp_path: Path) -> Folders:
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
    verdicts = {
        "photo_id": ids,
        "verdict": kept,
        "cluster_id": ids,
        "new_label": [None] * len(ids),
        "searched_bits": [63] * len(ids),
    }
    pl.DataFrame(verdicts).write_parquet(clean / "verdicts.parquet")
    return {"fetch": fetch, "clean": clean, "out": tmp_path / "split", "reports": tmp_path / "reports"}


def test_split(params: SplitParams, folders: Folders, tmp_path: Path) -> None:
    metrics = split(params, **folders)
    assert {name: count for name, count in metrics.items() if name.startswith("leaked")} == {
        "leaked_urls": 0,
        "leaked_bytes": 0,
        "leaked_observations": 0,
        "leaked_groups": 0,
        "leaked_near_duplicates": 0,
    }
    assert set(metrics["leaks"]) == {"test-train", "test-val", "train-val"}
    assert {count for pair in metrics["leaks"].values() for count in pair.values()} == {0}
    assert sum(metrics["num_photos"].values()) == 280
    assert metrics["num_classes"] == {"species": 4, "genus": 3, "family": 2}
    assert metrics["num_merged_into_other"] == 1
    rows = pl.read_parquet(tmp_path / "split" / "split.parquet")
    rare = rows.filter(pl.col("label") == "G1 s3")
    assert rare.select("species", "genus", "family").unique().rows() == [("other", "G1", "F")]
    taxonomy = Taxonomy.read(tmp_path / "split" / "taxonomy.json")
    assert taxonomy.regions["EU"] == ["other", "G0 s0", "G0 s1", "G1 s2"]
    assert "G0 s0" not in taxonomy.regions["US"]
    assert metrics["regions"]["EU"]["num_classes"] == 4
    assert metrics["regions"]["all"] == {
        "num_photos": 280,
        "num_species": 4,
        "num_classes": 4,
        "photos_per_species": 70.0,
        "licences": {"CC0-1.0": 1.0},
    }
    per_class = pl.read_csv(tmp_path / "reports" / "classes.csv")
    assert per_class.columns == ["class", "train", "val", "test", "frequency"]
    assert per_class["train"].sum() == metrics["num_photos"]["train"]
    assert sum(part["num_classes"] for part in metrics["frequency"].values()) == 4
    assert {path.name for path in (tmp_path / "reports").iterdir()} == {
        "classes.csv",
        "long-tail.png",
        "regions.png",
        "unknown-labels.csv",
    }


def test_a_given_split_is_taken_and_its_leaks_are_told(params: SplitParams, folders: Folders, tmp_path: Path) -> None:
    given = params.model_copy(update={"given": "given_split"})
    metrics = split(given, **folders)
    rows = pl.read_parquet(tmp_path / "split" / "split.parquet")
    assert rows["split"].to_list()[:6] == ["train", "val", "test"] * 2
    assert metrics["leaked_observations"] == metrics["leaked_groups"] == 140
    assert metrics["leaked_urls"] == 0
    assert metrics["leaks"]["test-train"]["groups"] > 0
    assert metrics["leaks"]["test-train"] == {**metrics["leaks"]["test-train"], "urls": 0, "bytes": 0}


def test_the_certificate_finds_a_photo_in_two_splits(params: SplitParams, folders: Folders, tmp_path: Path) -> None:
    split(params, **folders)
    table = tmp_path / "split" / "split.parquet"
    rows = pl.read_parquet(table)
    moved = rows.with_columns(
        pl.when(pl.int_range(pl.len()) == 0).then(pl.lit("elsewhere")).otherwise("split").alias("split")
    )
    moved.write_parquet(table)
    leaks = count_leaks(folders["fetch"] / "catalogue.parquet", folders["clean"] / "verdicts.parquet", table)
    assert leaks["leaked_observations"] == leaks["leaked_groups"] == 1
    assert sum(pair["groups"] for name, pair in leaks["leaks"].items() if "elsewhere" in name) == 1


def test_an_unseen_species_and_seen_photos_are_trained_on_by_nobody(
    params: SplitParams, folders: Folders, tmp_path: Path
) -> None:
    (tmp_path / "unseen.txt").write_text("G1 s2\n")
    (tmp_path / "seen.txt").write_text(f"{3:016x}\n")
    held_out = HeldOutParams(unseen_fraction=0, unseen=tmp_path / "unseen.txt", seen=tmp_path / "seen.txt", blank=[])
    metrics = split(params.model_copy(update={"held_out": held_out}), **folders)
    rows = pl.read_parquet(tmp_path / "split" / "split.parquet")
    unseen = rows.filter(pl.col("split") == "unseen")
    assert set(unseen["label"]) == {"G1 s2"}
    # Its genus is known still: another species of it, bundled, is trained on.
    assert unseen.select("species", "genus", "family").unique().rows() == [("other", "G1", "F")]
    assert rows.filter(pl.col("split") == "seen")["photo_id"].to_list() == [f"{3:016x}"]
    left_out = pl.read_parquet(tmp_path / "split" / "left_out.parquet")
    assert left_out.rows() == [(f"{2:016x}", "beside_held_out")]
    assert metrics["num_photos"]["unseen"] == 90
    assert metrics["num_left_out"] == {"beside_held_out": 1}
    assert metrics["leaks"]["train-unseen"]["groups"] == 0
    assert "G1 s2" not in Taxonomy.read(tmp_path / "split" / "taxonomy.json").classes["species"]


def test_photos_of_no_organism_are_no_class(
    params: SplitParams, folders: Folders, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    held_out = HeldOutParams(unseen_fraction=0, unseen=None, seen=None, blank=["G1 s2"])
    metrics = split(params.model_copy(update={"held_out": held_out}), **folders)
    rows = pl.read_parquet(tmp_path / "split" / "split.parquet")
    assert set(rows.filter(pl.col("split") == "blank")["label"]) == {"G1 s2"}
    assert metrics["num_photos"]["blank"] > 80
    assert metrics["num_unseen_species"] == 0
    assert "G1 s2" not in Taxonomy.read(tmp_path / "split" / "taxonomy.json").classes["species"]


def test_cap_minimum_and_small_set(params: SplitParams, folders: Folders, tmp_path: Path) -> None:
    update = {"class_cap": 30, "train_small": 0.3, "min_eval_photos": 20}
    metrics = split(params.model_copy(update=update), **folders)
    per_class = pl.read_csv(tmp_path / "reports" / "classes.csv").filter(pl.col("class") != "other")
    assert per_class["train"].to_list() == [30, 30, 30]
    assert per_class["val"].min() >= 20
    assert per_class["test"].min() >= 20
    assert metrics["num_left_out"]["class_cap"] == 280 - sum(metrics["num_photos"].values())
    rows = pl.read_parquet(tmp_path / "split" / "split.parquet")
    small = rows.join(pl.read_parquet(tmp_path / "split" / "train_small.parquet"), on="photo_id", how="semi")
    assert set(small["split"]) == {"train"}
    every = pl.read_parquet(tmp_path / "split" / "train_all.parquet")
    assert every["photo_id"].to_list() == rows.filter(pl.col("split") == "train")["photo_id"].to_list()
    assert 0 < len(small) == metrics["num_train_small"] < metrics["num_photos"]["train"] / 2
    assert metrics["leaked_groups"] == 0


def test_synonyms_are_one_species(params: SplitParams, folders: Folders, tmp_path: Path) -> None:
    (tmp_path / "taxonomy.csv").write_text("species,genus,family,synonyms\nG0 s0,G0,F,G0 s1|G1 s2\nG1 s3,G1,F,\n")
    assert params.taxonomy
    table = params.taxonomy.model_copy(update={"synonyms": "synonyms"})
    split(params.model_copy(update={"taxonomy": table}), **folders)
    rows = pl.read_parquet(tmp_path / "split" / "split.parquet")
    assert dict(rows["label"].value_counts().iter_rows()) == {"G0 s0": 270, "G1 s3": 10}


def test_a_new_label_of_the_verdicts_counts(params: SplitParams, folders: Folders, tmp_path: Path) -> None:
    verdicts = folders["clean"] / "verdicts.parquet"
    labels = ["G1 s3" if number < 6 else None for number in range(300)]
    pl.read_parquet(verdicts).with_columns(pl.Series("new_label", labels)).write_parquet(verdicts)
    split(params, **folders)
    rows = pl.read_parquet(tmp_path / "split" / "split.parquet")
    assert rows.sort("photo_id")["label"][:7].to_list() == ["G1 s3"] * 6 + ["G0 s0"]


def test_verdicts_of_another_catalogue_are_refused(params: SplitParams, folders: Folders) -> None:
    verdicts = folders["clean"] / "verdicts.parquet"
    pl.read_parquet(verdicts).reverse().write_parquet(verdicts)
    with pytest.raises(CatalogueError, match="verdicts are not those of"):
        split(params, **folders)


def test_bad_params_are_named(params: SplitParams, folders: Folders, tmp_path: Path) -> None:
    unknown = params.model_copy(update={"group_by": ["observer_name"]})
    with pytest.raises(CatalogueError, match=r"split\.group_by: no column 'observer_name'; found photo_id"):
        split(unknown, **folders)
    file = tmp_path / "params.yaml"
    file.write_text(
        "split: {ranks: [species], taxonomy: null, min_samples: 1, ratios: {train: 0.5, val: 0.1, test: 0.1},"
        " salt: a, group_by: [], given: null, min_eval_photos: 0, class_cap: null, train_small: 0,"
        " held_out: {unseen_fraction: 0, unseen: null, seen: null, blank: []},"
        " frequency: {few_below: 1, many_above: 2}}"
    )
    with pytest.raises(ParamsError, match=r"ratios must name train, val and test and sum to 1"):
        load_section(SplitParams, "split", file)


def test_nothing_kept_is_an_error(params: SplitParams, folders: Folders, tmp_path: Path) -> None:
    verdicts = folders["clean"] / "verdicts.parquet"
    pl.read_parquet(verdicts).with_columns(pl.lit("drop").alias("verdict")).write_parquet(verdicts)
    with pytest.raises(CatalogueError, match="none of 300 photos was kept"):
        split(params, **folders)
