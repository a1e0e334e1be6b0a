"""Learning from originals: the same squares as the records', skipped photos, and exactness after a kill."""

import io
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from fieldguide.engine import run_isolated
from fieldguide.errors import PhotoError, RecordError
from fieldguide.images.encode import ImageFormat
from fieldguide.learn.checkpoint import open_run_folder
from fieldguide.learn.device import prepared_device
from fieldguide.learn.fingerprint import make_fingerprint
from fieldguide.learn.losses import LabelLoss
from fieldguide.learn.photo_source import CataloguePhotos, open_photos
from fieldguide.learn.setup import prepare_training
from fieldguide.learn.skipped import SkippedPhotos
from fieldguide.learn.training import TrainingTask, train_network
from fieldguide.learn.training_params import TeacherParams
from fieldguide.learn.transforms import build_transforms
from fieldguide.records.reader import RecordSet
from fieldguide.records.writer import write_records
from stages.resize import resize
from stages.train_teacher import train_teacher
from tests.images.pictures import blotches, encode
from tests.learn.making import largest_difference, teacher_section
from tests.photo_server import PhotoServer, serve_photos
from tests.records.making import ENGINE, SPECIES, TAXONOMY
from tests.stages.fetching import observe, run
from tests.stages.test_resize import PARAMS as RESIZE

NUM_TRAIN, NUM_VAL = 30, 6


class Flora(NamedTuple):
    """Photos on a server, what fetch made of them, and their records."""

    server: PhotoServer
    root: Path
    tfrecord: Path

    @property
    def fetch(self) -> Path:
        return self.root / "out"


@pytest.fixture(scope="module")
def flora(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flora]:
    """Thirty-six photos as a stream whose cache holds next to nothing; squares are PNG, so that none is lossy."""
    root = tmp_path_factory.mktemp("flora")
    with serve_photos() as server, pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        urls = []
        for number in range(NUM_TRAIN + NUM_VAL):
            server.files[f"{number}.jpg"] = encode(blotches(number, 90 + number, 80))
            urls.append(server.url(f"file/{number}.jpg"))
        (root / "data").mkdir()
        observe(root, *urls)
        run(root, store="stream", cache_folder=str(root / "cache"), cache_gb=1e-6)
        run(root, "kept")
        yield Flora(server, root, _write_records(root))


def _write_records(root: Path) -> Path:
    catalogue = pl.read_parquet(root / "out/catalogue.parquet")
    species = [list(SPECIES)[number % 4] for number in range(len(catalogue))]
    split = catalogue.select("photo_id", "region", "label").with_columns(
        pl.Series("split", ["train"] * NUM_TRAIN + ["val"] * NUM_VAL),
        pl.Series("species", species),
        pl.Series("genus", [SPECIES[name] for name in species]),
    )
    TAXONOMY.write(root / "split/taxonomy.json")
    split.write_parquet(root / "split/split.parquet")
    params = RESIZE.model_copy(update={"size": 32, "format": ImageFormat.PNG})
    resize(params, fetch=root / "out", split=root / "split", out=root / "resize")
    out = root / "tfrecord"
    run_isolated(write_records, root / "resize", TAXONOMY, out, records_per_shard=16, salt="salt", engine=ENGINE)
    return out


@pytest.fixture
def without(flora: Flora) -> Iterator[Callable[..., None]]:
    """`without(*numbers)`: the server has these photos no more, until the test ends."""
    before = dict(flora.server.files)

    def remove(*numbers: int) -> None:
        for number in numbers:
            flora.server.files[f"{number}.jpg"] = b""

    yield remove
    flora.server.files.update(before)


def _open(flora: Flora, tmp_path: Path, rate: float = 0.5, fetch: Path | None = None) -> CataloguePhotos:
    records = RecordSet.open(flora.tfrecord, "train")
    skipped = SkippedPhotos(tmp_path / "skipped.txt", len(records), rate)
    indices = np.arange(len(records))
    return CataloguePhotos(records, flora.tfrecord, fetch or flora.fetch, indices, seed=1, skipped=skipped)


def _number(flora: Flora, index: int) -> int:
    """The file on the server that is the record at `index`."""
    ids = pl.read_parquet(flora.fetch / "catalogue.parquet")["photo_id"].to_list()
    return ids.index(RecordSet.open(flora.tfrecord, "train").photo_ids[index])


@pytest.mark.parametrize("store", ["out", "kept"])
def test_a_photo_is_the_square_of_its_record(flora: Flora, tmp_path: Path, store: str):
    photos = _open(flora, tmp_path, fetch=flora.root / store)
    records = RecordSet.open(flora.tfrecord, "train")
    keys = [(0, index) for index in range(len(records))]
    assert photos.bring(keys) == keys
    for index, record in enumerate(records):
        assert photos.read_photo(index).photo_id == record.photo_id
        assert photos.read_photo(index).box == record.box
        ours, theirs = (np.asarray(Image.open(io.BytesIO(each.image))) for each in (photos.read_photo(index), record))
        assert (ours == theirs).all()


def test_anothers_place_is_taken_always_by_the_same(flora: Flora, tmp_path: Path, without: Callable[..., None]):
    gone = [3, 11]
    without(*(_number(flora, index) for index in gone))
    keys = [(2, index) for index in range(12)]
    photos = _open(flora, tmp_path)
    shown = photos.bring(keys)
    assert [key for key, other in zip(keys, shown, strict=True) if key != other] == [(2, 3), (2, 11)]
    assert all(index not in gone and view == 2 for view, index in shown)
    assert all(photos.read_photo(index).image for _, index in shown)
    lines = (tmp_path / "skipped.txt").read_text().splitlines()
    assert sorted(lines) == ["2 11 out_of_reach", "2 3 out_of_reach"]
    # The photos are back, but this showing of them was skipped; the next is not.
    for name in list(flora.server.files):
        number = int(name.partition(".")[0])
        flora.server.files[name] = encode(blotches(number, 90 + number, 80))
    again = _open(flora, tmp_path)
    assert again.bring(keys) == shown
    assert again.bring([(3, index) for index in range(12)]) == [(3, index) for index in range(12)]


def test_past_the_rate_the_reasons_are_named(flora: Flora, tmp_path: Path, without: Callable[..., None]):
    without(*range(30))
    with pytest.raises(
        PhotoError, match=r"4 of 30 training photos cannot be had \(4 gone, changed or out of reach\); expe"
    ):
        _open(flora, tmp_path, rate=0.1).bring([(0, index) for index in range(30)])


def test_photos_that_the_catalogue_knows_otherwise_are_skipped(flora: Flora, tmp_path: Path):
    records = RecordSet.open(flora.tfrecord, "train")
    catalogue = pl.read_parquet(flora.fetch / "catalogue.parquet")
    first, second = records.photo_ids[:2]
    is_second = catalogue["photo_id"] == second
    other = catalogue.with_columns(sha256=pl.when(is_second).then(pl.lit("0" * 64)).otherwise("sha256"))
    folder = tmp_path / "fetch"
    folder.mkdir()
    (folder / "stream.json").write_bytes((flora.fetch / "stream.json").read_bytes())
    other.filter(pl.col("photo_id") != first).write_parquet(folder / "catalogue.parquet")
    _open(flora, tmp_path, fetch=folder).bring([(0, 0), (0, 1), (0, 2)])
    assert (tmp_path / "skipped.txt").read_text().splitlines() == ["0 0 unknown", "0 1 changed"]


def test_without_a_catalogue_there_is_one_line(flora: Flora, tmp_path: Path):
    with pytest.raises(RecordError, match=r"catalogue.parquet is missing; run the fetch stage first"):
        _open(flora, tmp_path, fetch=tmp_path)


class KilledError(Exception):
    pass


def _train(flora: Flora, out: Path, stop_after: int | None = None, **changes: Any) -> dict[str, Any]:
    section = teacher_section(input="photos", max_failure_rate=0.3, **changes)
    params = TeacherParams.model_validate(section)
    setup = prepare_training(params, flora.tfrecord, None, region=None, views=None)
    label_loss = LabelLoss(setup.network.spec, torch.from_numpy(setup.labels), params.rank_weights, 0.1)
    steps = itertools.count(1)

    def loss(*batch: torch.Tensor) -> torch.Tensor:
        if next(steps) == stop_after:
            raise KilledError
        return label_loss(*batch)

    fingerprint = make_fingerprint(params.model_dump(mode="json"), flora.tfrecord)
    with (
        prepared_device(params.precision, params.workers) as fabric,
        open_run_folder(out.name, fingerprint, fabric) as folder,
    ):
        transform = build_transforms(params.transforms)
        dataset, skipped = open_photos(params, setup, transform, flora.tfrecord, flora.fetch, folder)
        task = TrainingTask(dataset, setup.order, loss, setup.validation)
        metrics = train_network(
            setup.network, params, task, out, folder=folder, fabric=fabric, on_epoch=lambda epoch, values: None
        )
        return {**metrics, "num_skipped": skipped.num_photos}


def test_a_killed_training_ends_with_the_same_weights(flora: Flora, tmp_path: Path, without: Callable[..., None]):
    workers = 2
    without(*(_number(flora, index) for index in (0, 5, 9)))
    undisturbed = _train(flora, tmp_path / "undisturbed", workers=workers)
    assert undisturbed["num_skipped"] == 3
    with pytest.raises(KilledError):
        _train(flora, tmp_path / "killed", stop_after=5, workers=workers)
    assert _train(flora, tmp_path / "killed", workers=workers) == undisturbed
    left, right = (load_file(tmp_path / name / "last.safetensors") for name in ("undisturbed", "killed"))
    assert largest_difference(left, right) == 0.0


def test_the_stage_counts_what_it_skipped(flora: Flora, tmp_path: Path, without: Callable[..., None]):
    without(_number(flora, 4))
    section = teacher_section(input="photos", max_failure_rate=0.3, epochs=1, balance_fraction=0.0, batch_size=30)
    params = TeacherParams.model_validate(section)
    folders = {"tfrecord": flora.tfrecord, "embed": tmp_path / "none", "fetch": flora.fetch, "out": tmp_path / "out"}
    metrics = train_teacher(params, teacher="photos", **folders)
    last = ["num_val", "num_classes", "num_parameters", "num_skipped", "weights_sha256"]
    assert list(metrics)[-5:] == last
    assert (metrics["num_train"], metrics["num_skipped"]) == (30, 1)
