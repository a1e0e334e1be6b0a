"""A shrunken sample, drawn for real: the same bytes for any number of workers, and a truth that the files bear out."""

import csv
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest

from fieldguide.catalogue.licences import allows_any_use, normalise_licence
from fieldguide.files import file_sha256
from fieldguide.images.decode import inspect
from sample.encode import fingerprint
from sample.flora import FLORA, MISSING_FROM_TAXONOMY
from sample.make import make_sample

NUM_ROWS = 100
FILES = ("observations.jsonl", "photos.tar", "taxonomy.csv", "truth.json")
NEAR = 48  # bits of 256

pytestmark = pytest.mark.slow


def make(out: Path, workers: int) -> Path:
    make_sample(out, out / "truth.json", num_rows=NUM_ROWS, seed=5, workers=workers)
    return out


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("sample"), workers=1)


def read_rows(sample: Path) -> list[dict[str, str | None]]:
    return [json.loads(line) for line in (sample / "observations.jsonl").read_text(encoding="utf-8").splitlines()]


def test_the_number_of_workers_does_not_change_a_byte(sample: Path, tmp_path: Path) -> None:
    again = make(tmp_path, workers=2)
    assert [file_sha256(again / name) for name in FILES] == [file_sha256(sample / name) for name in FILES]


def test_the_truth_is_what_the_files_say(sample: Path) -> None:
    rows = read_rows(sample)
    contents: dict[str, bytes] = {}
    with tarfile.open(sample / "photos.tar") as archive:
        for member in archive:
            stream = archive.extractfile(member)
            assert stream is not None
            contents[f"tar://{member.name}::photos.tar"] = stream.read()
    found: dict[str, tuple[str, str | None]] = {}
    kept: list[tuple[str, str, bytes, np.ndarray]] = []
    for row in rows:
        row_id, url = row["id"], row["url"]
        assert row_id
        assert url
        content = contents.get(url)
        if content is None:
            found[row_id] = ("fetch_failed", None)
            continue
        inspected = inspect(content, min_side=32, max_pixels=50_000_000)
        if inspected.flaw:
            found[row_id] = (inspected.flaw.value, None)
        elif not allows_any_use(normalise_licence(row["licence"])):
            found[row_id] = ("licence", None)
        else:
            assert inspected.image
            kept.append((row_id, url, content, fingerprint(inspected.image)))
    for reason, is_same in (
        ("duplicate_url", lambda one, other: one[1] == other[1]),
        ("duplicate_bytes", lambda one, other: one[2] == other[2]),
        ("near_duplicate", lambda one, other: np.count_nonzero(one[3] != other[3]) <= NEAR),
    ):
        firsts: list[tuple[str, str, bytes, np.ndarray]] = []
        for one in kept:
            original = next((first for first in firsts if is_same(one, first)), None)
            if original is None:
                firsts.append(one)
            else:
                found[one[0]] = (reason, original[0])
        kept = firsts
    truth = json.loads((sample / "truth.json").read_text(encoding="utf-8"))
    assert found == {row["id"]: (row["reason"], row["duplicate_of"]) for row in truth["dropped"]}
    assert truth["num_kept"] == len(kept)
    assert truth["num_rows"] == len(rows)


def test_taxonomy_lists_every_species_but_one_and_all_genera(sample: Path) -> None:
    with (sample / "taxonomy.csv").open(encoding="utf-8", newline="") as stream:
        listed = list(csv.DictReader(stream))
    assert {row["species"] for row in listed} == {species.name for species in FLORA} - {MISSING_FROM_TAXONOMY}
    assert {row["genus"] for row in listed} == {species.genus for species in FLORA}
