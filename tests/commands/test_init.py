"""From photographs as people have them, by `init`, to a finished split."""

import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from fieldguide.__main__ import main
from fieldguide.clean.params import CleanParams
from fieldguide.fetch.params import FetchParams
from fieldguide.params import load_section
from fieldguide.preflight import networks
from fieldguide.presets import expand, load_overlay, set_values, write_params
from fieldguide.split.params import SplitParams
from stages.clean import clean
from stages.fetch import fetch
from stages.split import split
from tests.photo_server import serve_photos
from tests.stages.presetting import ONE_WORKER, picture, write_csv

LABELS = ("Aster alpinus", "Bellis perennis", "Rosa canina")
NUM = 14
SPLITS = ("train", "train", "train", "val", "test")
EACH = [(label, number) for label in LABELS for number in range(NUM)]

TAXONOMY = [
    {"species": label, "genus": label.split()[0], "family": family}
    for label, family in zip(LABELS, ("Asteraceae", "Asteraceae", "Rosaceae"), strict=True)
]


def photo(label: str, number: int) -> bytes:
    return picture(1000 * LABELS.index(label) + number, 80, 60)


def write(path: Path, label: str, number: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(photo(label, number))


def given_split(number: int) -> str:
    return SPLITS[number % len(SPLITS)]


@contextmanager
def plant_species() -> Iterator[list[str]]:
    """A tree of `Species name/*.jpg`."""
    for label, number in EACH:
        write(Path("data/flora", label, f"{number}.jpg"), label, number)
    yield ["data/flora"]


@contextmanager
def plant_splits() -> Iterator[list[str]]:
    """A tree of train, val and test, with a taxonomy."""
    for label, number in EACH:
        write(Path("data/flora", given_split(number), label, f"{number}.jpg"), label, number)
    write_csv(Path("data/taxonomy.csv"), TAXONOMY)
    yield ["data/flora", "--taxonomy", "data/taxonomy.csv"]


@contextmanager
def plant_table() -> Iterator[list[str]]:
    """A table beside a folder of photos, as on Kaggle."""
    names = {f"{LABELS.index(label)}-{number}.jpg": (label, number) for label, number in EACH}
    for name, (label, number) in names.items():
        write(Path("data/flora/train_images", name), label, number)
    write_csv(Path("data/flora/train.csv"), [{"filename": name, "label": label} for name, (label, _) in names.items()])
    yield ["data/flora/train_images", "--table", "data/flora/train.csv"]


@contextmanager
def plant_archive() -> Iterator[list[str]]:
    """A table whose photos are in a zip, in a folder of it."""
    names = {f"{LABELS.index(label)}-{number}.jpg": (label, number) for label, number in EACH}
    Path("data").mkdir()
    with zipfile.ZipFile("data/flora.zip", "w") as packed:
        for name, (label, number) in names.items():
            packed.writestr(f"all/images/{name}", photo(label, number))
    write_csv(Path("data/rows.csv"), [{"image": name, "species": label} for name, (label, _) in names.items()])
    yield ["data/flora.zip", "--table", "data/rows.csv"]


@contextmanager
def plant_urls() -> Iterator[list[str]]:
    """A table of URLs with observations and licences."""
    with serve_photos() as server:
        rows = []
        for label, number in EACH:
            name = f"{LABELS.index(label)}-{number}.jpg"
            server.files[name] = photo(label, number)
            row = {"id": name, "url": server.url(f"file/{name}"), "observation_id": f"o{name[0]}{number // 2}"}
            rows.append({**row, "taxon": {"name": label}, "license": "CC BY 4.0"})
        Path("data").mkdir()
        Path("data/flora.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        yield ["data/flora.jsonl"]


@pytest.fixture
def repository(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory; networks that were once found good stay so for all tests."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(networks, "REMEMBERED", tmp_path_factory.getbasetemp() / "checks")
    return tmp_path


def run_data_stages() -> tuple[dict[str, Any], pl.DataFrame]:
    """Run fetch, clean and split by params.yaml; the split's metrics and rows."""
    asking = ONE_WORKER | {"allow_private": True}
    fetch(load_section(FetchParams, "fetch").model_copy(update=asking), data=Path("data"), out=Path("fetched"))
    clean(
        load_section(CleanParams, "clean").model_copy(update=ONE_WORKER),
        fetch=Path("fetched"),
        out=Path("cleaned"),
        reports=Path("reports"),
    )
    metrics = split(
        load_section(SplitParams, "split"),
        fetch=Path("fetched"),
        clean=Path("cleaned"),
        out=Path("divided"),
        reports=Path("reports"),
    )
    return metrics, pl.read_parquet("divided/split.parquet")


@pytest.mark.slow
@pytest.mark.parametrize("plant", [plant_species, plant_splits, plant_table, plant_archive, plant_urls])
def test_photographs_become_a_split(
    repository: Path, plant: Callable[[], Any], capsys: pytest.CaptureFixture[str]
) -> None:
    with plant() as arguments:
        main(["init", *arguments, "--minutes", "10"])
        printed = capsys.readouterr().out
        metrics, rows = run_data_stages()
    assert metrics["num_classes"]["species"] == 1 + len(LABELS)
    assert sum(metrics["num_photos"].values()) == len(EACH)
    assert metrics["num_classes_seen"] == dict.fromkeys(("train", "val", "test"), len(LABELS))
    assert rows.group_by("label").len().sort("label").rows() == [(label, NUM) for label in LABELS]
    assert f"classes      {len(LABELS)}, {NUM} to {NUM} photos each" in printed
    assert "dvc add data" in printed
    params = yaml.safe_load(Path("params.yaml").read_text())
    if plant is plant_splits:
        assert params["split"]["ranks"] == ["species", "genus", "family"]
        assert metrics["num_classes"] == {"species": 4, "genus": 4, "family": 3}
        parts = {part: len(LABELS) * sum(given_split(number) == part for number in range(NUM)) for part in set(SPLITS)}
        assert metrics["num_photos"] == parts
    if plant is plant_urls:
        assert metrics["leaked_observations"] == 0
        assert rows["group_id"].n_unique() == len(EACH) // 2
        assert params["clean"]["production_only"] is True


@pytest.mark.slow
def test_a_file_of_ones_own_is_not_written_over(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    params = expand(load_overlay("moths"))
    set_values(params, ["split.salt=mine"])
    write_params(params, Path("params.yaml"))
    before = Path("params.yaml").read_bytes()
    with plant_species() as arguments:
        with pytest.raises(SystemExit):
            main(["init", *arguments])
        assert (
            "params.yaml holds changes that no commit has; commit them, or expected --force" in capsys.readouterr().err
        )
        assert Path("params.yaml").read_bytes() == before
        main(["init", *arguments, "--out", "mine.yaml"])
        assert "cp mine.yaml params.yaml" in capsys.readouterr().out
        write_params(expand(load_overlay("sample")), Path("params.yaml"))
        main(["init", *arguments])
        assert Path("params.yaml").read_text().splitlines()[1] == "# python -m fieldguide init data/flora"
        assert Path("params.yaml").read_text().splitlines()[2:] == Path("mine.yaml").read_text().splitlines()[2:]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["data/flora", "--preset", "moths", "--minutes", "5"],
            "--minutes chooses epochs, but preset moths says how many",
        ),
        (["nowhere"], "nowhere does not exist; expected folders or archives"),
        (["list.txt"], "no photo has a class in photos (urls), so nothing can be taught"),
        (["data/flora", "--taxonomy", "none.csv"], "none.csv is missing; expected a table of species"),
    ],
)
def test_what_cannot_be_surveyed_is_said_on_one_line(
    repository: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    Path("list.txt").write_text("https://a.org/1.jpg\n")
    with plant_species(), pytest.raises(SystemExit):
        main(["init", *arguments])
    assert message in capsys.readouterr().err
    assert not Path("params.yaml").exists()
