"""Runs the data stages by a preset, and writes what its inputs are made of."""

import csv
import io
import json
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from PIL import Image

from fieldguide.catalogue.taxonomy import Taxonomy
from fieldguide.clean.params import CleanParams
from fieldguide.engine import EngineParams
from fieldguide.fetch.params import FetchParams
from fieldguide.params import load_section, read_params
from fieldguide.presets import expand, load_overlay, write_params
from fieldguide.records.params import ResizeParams
from fieldguide.split.params import SplitParams
from fieldguide.stage import Metrics
from fieldguide.tar import read_samples
from stages.clean import clean
from stages.fetch import fetch
from stages.resize import resize
from stages.split import split
from tests.images.pictures import blotches, encode
from tests.learn.making import backbone_section
from tests.stages.learning import run_stage

LITTLE: dict[str, Any] = {
    "weights": {"from": "scratch"},
    "epochs": 2,
    "warmup_epochs": 0,
    "batch_size": 16,
    "workers": 0,
}
"""Of every network: nothing is downloaded, and little is learnt."""
TINY_STUDENT: dict[str, Any] = {"architecture": "mobilenetv2_035", "image_size": 64}
ONE_WORKER = {"engine": EngineParams(backend="loky", workers=1)}


@dataclass(frozen=True)
class Made:
    """What the four stages made of an input."""

    folder: Path
    fetched: Metrics
    cleaned: Metrics
    divided: Metrics
    photos: pl.DataFrame
    """Of every row of the catalogue: its columns, and those of the verdict."""
    used: pl.DataFrame
    """Of every photo in the split: the columns of both."""
    taxonomy: Taxonomy

    def squares(self, part: str) -> list[tuple[np.ndarray, dict[str, Any]]]:
        """Pixels and description of each square of a split."""
        return [
            (np.asarray(Image.open(io.BytesIO(sample["jpg"]))), json.loads(sample["json"]))
            for tar in sorted((self.folder / "resize").glob(f"{part}-*.tar"))
            for _, sample in read_samples(tar)
        ]

    def assert_nothing_leaks(self) -> None:
        assert {name: value for name, value in self.divided.items() if name.startswith("leaked_")} == {
            f"leaked_{what}": 0 for what in ("urls", "bytes", "observations", "groups", "near_duplicates")
        }


def preset(name: str, folder: Path) -> Path:
    """The params.yaml of a preset in `folder`."""
    file = folder / "params.yaml"
    write_params(expand(load_overlay(name)), file)
    return file


def make(name: str, folder: Path, *, allow_private: bool = False) -> Made:
    """Run the data stages by a preset; only the number of workers is not the preset's, and what a loopback needs."""
    file = preset(name, folder)
    asking = ONE_WORKER | ({"allow_private": True} if allow_private else {})
    fetched = fetch(
        load_section(FetchParams, "fetch", file).model_copy(update=asking), data=Path("data"), out=folder / "fetch"
    )
    cleaned = clean(
        load_section(CleanParams, "clean", file).model_copy(update=ONE_WORKER),
        fetch=folder / "fetch",
        out=folder / "clean",
        reports=folder / "reports",
    )
    divided = split(
        load_section(SplitParams, "split", file),
        fetch=folder / "fetch",
        clean=folder / "clean",
        out=folder / "split",
        reports=folder / "reports",
    )
    resize(
        load_section(ResizeParams, "resize", file).model_copy(update=ONE_WORKER),
        fetch=folder / "fetch",
        split=folder / "split",
        out=folder / "resize",
    )
    catalogue = pl.read_parquet(folder / "fetch" / "catalogue.parquet")
    photos = catalogue.join(pl.read_parquet(folder / "clean" / "verdicts.parquet"), on="photo_id")
    divisions = pl.read_parquet(folder / "split" / "split.parquet").drop("region", "label")
    taxonomy = Taxonomy.read(folder / "split" / "taxonomy.json")
    used = divisions.join(photos, on="photo_id", maintain_order="left")
    return Made(folder, fetched, cleaned, divided, photos, used, taxonomy)


def make_records(folder: Path, **changes: dict[str, Any]) -> None:
    """Go on from `make` with the stages tfrecord and embed, as programs, by its params.yaml but for some keys."""
    params = merge(read_params(folder / "params.yaml"), changes)
    (folder / "params.yaml").write_text(json.dumps(params))
    for stage, options in {
        "tfrecord": {"resize": "resize", "split": "split", "out": "tfrecord"},
        "embed": {"tfrecord": "tfrecord", "out": "embed"},
    }.items():
        _run(folder, stage, **options)


def make_bundle(folder: Path, **networks: dict[str, Any]) -> dict[str, Metrics]:
    """Go on from `make` to the bundle by its params.yaml, with tiny networks and little of everything.

    `networks` change the params of the teachers and of the `student`, by name; where a network learns from, for how
    long and at what size is not the preset's, and how it learns is. Returns every stage's metrics.
    """
    params = read_params(folder / "params.yaml")
    names = params["train_teacher"]
    sections = {name: section | LITTLE | networks.get(name, {}) for name, section in names.items()}
    changes = {
        "train_teacher": sections,
        "distill_student": params["distill_student"] | LITTLE | TINY_STUDENT | networks.get("student", {}),
        "evaluate": {"workers": 0},
    }
    (folder / "params.yaml").write_text(json.dumps(merge(params, changes)))
    make_records(folder, embed={"backbone": backbone_section(), "batch_size": 8, "workers": 0})
    data = {"split": "split", "tfrecord": "tfrecord"}
    # DVC runs a teacher that another one starts from first.
    for name in sorted(names, key=lambda name: names[name]["init_from"] is not None):
        learnt = {**data, "embed": "embed", "fetch": "fetch", "teachers": "teachers", "out": f"teachers/{name}"}
        _run(folder, "train_teacher", teacher=name, **learnt)
    _run(folder, "distill_student", **data, teachers="teachers", out="student")
    judged = {**data, "embed": "embed", "teachers": "teachers", "student": "student"}
    _run(folder, "evaluate", **judged, out="evaluated")
    exported = {**data, "student": "student", "fetch": "fetch", "evaluate": "evaluated"}
    _run(folder, "export_tfjs", **exported, out="export", bundle="bundle")
    return {path.stem: json.loads(path.read_text()) for path in (folder / "metrics").glob("*.json")}


def _run(folder: Path, stage: str, **options: str) -> None:
    done = run_stage(folder, stage, **options)
    assert done.returncode == 0, done.stderr


def merge(params: dict[str, Any], changes: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """`params` with some keys of some sections changed."""
    return params | {name: params[name] | section for name, section in changes.items()}


def picture(seed: int, width: int = 64, height: int = 48) -> bytes:
    return encode(blotches(seed, width, height))


def write_tar(path: Path, members: dict[str, bytes]) -> None:
    with tarfile.open(path, "w") as tar:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))


def write_csv(path: Path, rows: list[dict[str, str]], **style: Any) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), **style)
        writer.writeheader()
        writer.writerows(rows)
