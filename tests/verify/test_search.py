"""Two hundred random flipped bits anywhere in interim/, models/ and reports/: each is found, and its file is named."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from fieldguide.digests import write_digests
from fieldguide.files import file_sha256, write_table
from fieldguide.records.manifest import Manifest, SplitEntry
from fieldguide.verify.findings import Finding, Kind
from fieldguide.verify.outputs import find_outputs, leave_out
from fieldguide.verify.places import Place
from fieldguide.verify.search import search
from tests.records.making import TAXONOMY
from tests.verify.making import flip, flip_any

NUM_FLIPS = 200
FOLDERS = ("interim", "models", "reports")
SUFFIXES = (".tar", ".tfrecord", ".parquet", ".npy", ".safetensors", ".onnx", ".bin", ".index", ".txt", ".csv")


def findings_in(*names: str) -> list[Finding]:
    places = [Place(name) for name in names]
    return [each for output in leave_out(find_outputs(places), places) for each in search(output, 1).findings]


def test_a_clean_tree_has_no_bad_file(root: Path):
    assert findings_in(*FOLDERS) == []


def test_every_flipped_bit_is_found(root: Path):
    files = sorted(path for name in FOLDERS for path in (root / name).rglob("*") if path.is_file())
    files.remove(root / "models/README.md")
    draw, missed = random.Random(11), []
    for _ in range(NUM_FLIPS):
        file = draw.choice(files)
        bit = flip_any(file, draw)
        if [finding.place.path for finding in findings_in(str(file))] != [str(file)]:
            missed.append((file, bit))
        flip(file, bit)
    assert missed == []


def test_flips_of_every_output_are_found_together(root: Path):
    draw = random.Random(5)
    # Where a digests.json is damaged it speaks of nothing any more, so those are left.
    files = sorted(path for name in FOLDERS for path in (root / name).rglob("*") if path.suffix in SUFFIXES)
    damaged = draw.sample(files, 10)
    for file in damaged:
        flip_any(file, draw)
    assert [finding.place.path for finding in findings_in(*FOLDERS)] == sorted(map(str, damaged))


@pytest.mark.parametrize(
    "name",
    [
        "interim/resize/val-00000.tar",
        "interim/embed/val.npy",
        "interim/fetch/shards/originals-00000.tar",
        "interim/tfrecord/train-00001-of-00003.tfrecord",
        "models/tfjs/examples/a.jpg",
    ],
)
def test_what_is_missing_is_named(root: Path, name: str):
    Path(name).unlink()
    assert [(each.place.path, each.kind) for each in findings_in("interim", "models")] == [(name, Kind.MISSING)]


def test_what_nothing_vouches_for_is_named_and_never_called_whole(root: Path):
    Path("notes.txt").write_text("words")
    Path("interim/resize/more.tar").write_bytes(Path("interim/resize/val-00000.tar").read_bytes())
    Path("models/student/digests.json").unlink()
    found = findings_in("notes.txt", "interim/resize", "models")
    assert {(each.place.path, each.kind) for each in found} == {
        (name, Kind.UNVOUCHED)
        for name in (
            "notes.txt",
            "interim/resize/more.tar",
            "models/student/model.json",
            "models/student/model.safetensors",
        )
    }


def test_a_photo_in_two_shards_is_found(root: Path):
    records = root / "interim/tfrecord"
    manifest = Manifest.read(records)
    (entry,) = manifest.splits["val"].shards
    again = SplitEntry(num_records=entry.num_records, shards=[entry.model_copy(update={"file": "again.tfrecord"})])
    shutil.copy(records / entry.file, records / "again.tfrecord")
    manifest.model_copy(update={"splits": {**manifest.splits, "unseen": again}}).write(records)
    write_digests(records, "tfrecord")
    said = [str(finding) for finding in findings_in("interim/tfrecord")]
    assert any(
        "val-00000-of-00001.tfrecord is damaged: 7 of its photos are also in again.tfrecord" in each for each in said
    )


@pytest.mark.parametrize(
    "name",
    [
        "interim/tfrecord/digests.json",
        "interim/tfrecord/manifest.json",
        "interim/tfrecord/labels.parquet",
        "interim/tfrecord/taxonomy.json",
        "interim/resize/manifest.json",
        "models/tfjs/bundle.json",
        "models/tfjs/service_worker.js",
    ],
)
def test_where_a_file_that_speaks_for_others_is_damaged_only_it_is_named(root: Path, name: str):
    flip(Path(name), 8 * 20 + 1)
    assert [each.place.path for each in findings_in(str(Path(name).parent))] == [name]


def _swap_labels(records: Path) -> None:
    table = pl.read_parquet(records / "labels.parquet")
    write_table(table.with_columns(pl.col("species").reverse()), records / "labels.parquet")


def _shorten_taxonomy(records: Path) -> None:
    classes = {**TAXONOMY.classes, "species": TAXONOMY.classes["species"][:3]}
    TAXONOMY.model_copy(update={"classes": classes}).write(records / "taxonomy.json")


def _shift_index(records: Path) -> None:
    index = records / "val-00000-of-00001.tfrecord.index"
    lines = index.read_text().splitlines()
    index.write_text("\n".join(lines[:-1]) + "\n")


def _enlarge(records: Path) -> None:
    manifest = Manifest.read(records)
    manifest.model_copy(update={"style": manifest.style.model_copy(update={"size": 64})}).write(records)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (_swap_labels, "labels.parquet is damaged: species of photo"),
        (_shorten_taxonomy, "is not among the 3 classes of the taxonomy"),
        (_shift_index, ".index is damaged: its lines are not where the records"),
        (_enlarge, "the photo is 32 x 32 px; expected 64 x 64 px, RGB"),
    ],
)
def test_what_digests_vouch_for_must_make_sense_too(root: Path, change: Callable[[Path], None], problem: str):
    records = root / "interim/tfrecord"
    change(records)
    manifest = Manifest.read(records)
    tables = {name: file_sha256(records / name) for name in manifest.tables}
    manifest.model_copy(update={"tables": tables}).write(records)
    write_digests(records, "tfrecord")
    assert problem in " ".join(map(str, findings_in("interim/tfrecord")))


@pytest.mark.parametrize("workers", [1, 2])
def test_the_number_of_processes_changes_nothing(root: Path, workers: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("fieldguide.verify.checking.WORTH_PROCESSES", 0)
    for name in ("train-00002.tar", "train-00000.tar"):
        flip(root / "interim/resize" / name, 9000)
    (output,) = find_outputs([Place("interim/resize")])
    result = search(output, workers)
    assert [finding.place.name for finding in result.findings] == ["train-00000.tar", "train-00002.tar"]
    assert (result.num_files, result.foreign) == (6, [])
