"""The life of a photo, told after every stage, for each way of naming it."""

import hashlib
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from fieldguide.__main__ import main
from fieldguide.clean.params import CleanParams
from fieldguide.commands.why import explain
from fieldguide.errors import CatalogueError
from fieldguide.fetch.params import FetchParams
from fieldguide.params import load_section, read_params
from fieldguide.split.params import SplitParams
from stages.clean import clean
from stages.fetch import fetch
from stages.split import split
from tests.pipeline.project import ROOT, Project

FOLDERS = {
    "kind": "folders",
    "roots": ["data/photos"],
    "pattern": None,
    "fill": {"region": None, "licence": "CC0", "rights_holder": None},
}


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Four files of one species, fetched: a photo, a copy of it, one cut short and one of other content."""
    monkeypatch.chdir(tmp_path)
    folder = Path("data/photos/Aster alpinus")
    folder.mkdir(parents=True)
    noise = np.random.default_rng(3).integers(0, 256, (2, 8, 8, 3), np.uint8)
    for name, pixels in zip(("a.jpg", "d.jpg"), noise, strict=True):
        Image.fromarray(pixels).resize((64, 48), Image.Resampling.BICUBIC).save(folder / name, quality=95)
    content = (folder / "a.jpg").read_bytes()
    (folder / "b.jpg").write_bytes(content)
    (folder / "c.jpg").write_bytes(content[: len(content) // 2])
    bring()
    return tmp_path


def bring() -> None:
    section = read_params(ROOT / "params.yaml")["fetch"]
    fetch(
        FetchParams.model_validate({**section, "sources": {"moths": FOLDERS}}),
        data=Path("data"),
        out=Path("interim/fetch"),
    )


def judge(repository: Path) -> None:
    section = load_section(CleanParams, "clean", ROOT / "params.yaml")
    params = section.model_copy(update={"max_failure_rate": 1.0})
    clean(params, fetch=Path("interim/fetch"), out=Path("interim/clean"), reports=Path("reports/clean"))


def photo(name: str) -> str:
    return f"data/photos/Aster alpinus/{name}"


def life(query: str) -> dict[str, str]:
    (rows,) = explain(query)
    return dict(rows)


def test_the_story_ends_where_the_pipeline_stands(repository: Path):
    assert list(life(photo("d.jpg"))) == ["photo", "source", "url", "said of it", "licence", "fetch"]
    judge(repository)
    assert life(photo("d.jpg"))["clean"] == "keep; JPEG RGB, 64 x 48 px"
    params = load_section(SplitParams, "split", ROOT / "params.yaml").model_copy(update={"taxonomy": None})
    split(
        params,
        fetch=Path("interim/fetch"),
        clean=Path("interim/clean"),
        out=Path("interim/split"),
        reports=Path("reports/split"),
    )
    story = life(photo("d.jpg"))
    assert list(story)[-1] == "split"
    assert story["split"].startswith(("train, ", "val, ", "test, "))


def test_dropped_photos_say_why(repository: Path):
    judge(repository)
    first = life("Aster alpinus/a.jpg")["photo"]
    assert life("Aster alpinus/b.jpg")["clean"] == (
        f"drop, duplicate_bytes; JPEG RGB, 64 x 48 px; of {first}, Aster alpinus/a.jpg, Aster alpinus"
    )
    story = life("Aster alpinus/c.jpg")
    assert story["clean"].startswith("drop, truncated")
    assert list(story)[-1] == "clean"
    verdicts = pl.read_parquet("interim/clean/verdicts.parquet")
    changed = verdicts.with_columns(pl.lit(value=True).alias("labels_differ"), pl.lit("p1").alias("replaced_by"))
    changed.write_parquet("interim/clean/verdicts.parquet")
    told = "; the same picture stands under other labels, too; replaced by p1"
    assert life("Aster alpinus/c.jpg")["clean"] == story["clean"] + told


def test_a_kept_photo_lists_its_duplicates(repository: Path):
    Image.open(photo("a.jpg")).save(photo("e.jpg"), quality=60)
    bring()
    judge(repository)
    others = {name: life(f"Aster alpinus/{name}")["photo"] for name in ("b.jpg", "e.jpg")}
    (rows,) = explain("Aster alpinus/a.jpg")
    assert [value for name, value in rows if name == "duplicate"] == [
        f"{others['b.jpg']}, Aster alpinus/b.jpg, Aster alpinus; duplicate_bytes",
        f"{others['e.jpg']}, Aster alpinus/e.jpg, Aster alpinus; near_duplicate",
    ]
    assert "duplicate" not in life("Aster alpinus/b.jpg")
    assert "duplicate" not in life("Aster alpinus/d.jpg")


def test_a_photo_goes_by_many_names(repository: Path):
    row = pl.read_parquet("interim/fetch/catalogue.parquet").row(3, named=True)
    digest = hashlib.sha256(Path(photo("d.jpg")).read_bytes()).hexdigest()
    absolute = str((repository / photo("d.jpg")).absolute())
    Path("copy.jpg").write_bytes(Path(photo("d.jpg")).read_bytes())
    names = [row["photo_id"], row["url"], row["source_row"], digest, photo("d.jpg"), absolute, "copy.jpg"]
    assert {life(name)["photo"] for name in names} == {row["photo_id"]}


def test_bytes_that_came_twice_have_two_stories(repository: Path):
    assert len(explain(hashlib.sha256(Path(photo("a.jpg")).read_bytes()).hexdigest())) == 2


@pytest.mark.parametrize("query", ["nobody.jpg", "0123456789abcdef", "https://example.org/1.jpg"])
def test_an_unknown_photo_is_one_line(repository: Path, query: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        main(["why", query])
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"why: no row of interim/fetch/catalogue.parquet is about '{query}'; expected a photo id")


def test_before_fetch(tmp_path: Path):
    with pytest.raises(CatalogueError, match="run the fetch stage first"):
        explain("a.jpg", tmp_path)


@pytest.mark.slow
def test_a_whole_life(built_clone: Project):
    test = pl.read_parquet(built_clone.root / "interim/split/split.parquet").filter(pl.col("split") == "test")
    output = built_clone.run("python", "-m", "fieldguide", "why", test["photo_id"][0])
    story = {line.split()[0]: line for line in output.splitlines()}
    assert "test-00000.tar" in story["resize"]
    assert "test-00000-of-00001.tfrecord, record " in story["tfrecord"]
    assert "sure; " in story["student"]
