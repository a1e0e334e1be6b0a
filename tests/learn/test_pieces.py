"""Shards are embedded once: by whom, when and beside which others makes no difference."""

import os
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from fieldguide.engine import count_workers, run_isolated
from fieldguide.errors import ParamsError
from fieldguide.learn import pieces
from fieldguide.learn.checkpoint import KEEP_DAYS, KEPT_FOLDER, open_kept_folder
from fieldguide.learn.dataset import Batch, Key, PhotoDataset
from fieldguide.learn.devices import count_devices
from fieldguide.learn.embedding import join_pieces
from fieldguide.learn.params import EmbedParams
from fieldguide.learn.pieces import complete_pieces, fingerprint_network, plan_pieces
from fieldguide.records.writer import write_records
from tests.learn.making import backbone_section, embed_section
from tests.records.making import ENGINE, TAXONOMY, make_resized

PARAMS = EmbedParams.model_validate(embed_section(batch_size=8))


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the photos that were shown to a network."""
    ids: list[str] = []

    class Counting(PhotoDataset):
        def load(self, keys: Sequence[Key]) -> Batch:
            ids.extend(self.records.read_photo(index).photo_id for _, index in keys)
            return super().load(keys)

    monkeypatch.setattr(pieces, "PhotoDataset", Counting)
    return ids


def embed(tfrecord: Path, folder: Path, out: Path, params: EmbedParams = PARAMS) -> dict[str, bytes]:
    """The bytes of every split's features."""
    folder.mkdir(exist_ok=True)
    plan = plan_pieces(tfrecord, folder, params.batch_size)
    dim = complete_pieces(params, tfrecord, plan)
    for split, own in plan.items():
        join_pieces(own, out / f"{split}.npy", dim)
    return {split: (out / f"{split}.npy").read_bytes() for split in plan}


def test_an_added_shard_costs_that_shard(tfrecord: Path, tmp_path: Path, shown: list[str]):
    whole = embed(tfrecord, tmp_path / "kept", tmp_path / "first")
    assert len(shown) == 66
    shown.clear()
    assert embed(tfrecord, tmp_path / "kept", tmp_path / "again") == whole
    assert shown == []
    # The last of three shards of train is new.
    plan = plan_pieces(tfrecord, tmp_path / "kept", PARAMS.batch_size)
    plan["train"][-1].path.unlink()
    assert embed(tfrecord, tmp_path / "kept", tmp_path / "added") == whole
    assert len(shown) == 8


def test_other_records_share_what_is_the_same(tfrecord: Path, tmp_path: Path, shown: list[str]):
    embed(tfrecord, tmp_path / "kept", tmp_path / "first")
    shown.clear()
    # The last test photo is gone.
    resized = make_resized(tmp_path / "resize", {"train": 48, "val": 12, "test": 5})
    records = tmp_path / "tfrecord"
    run_isolated(write_records, resized, TAXONOMY, records, records_per_shard=20, salt="salt", engine=ENGINE)
    embed(records, tmp_path / "kept", tmp_path / "second")
    assert len(shown) == 5


def test_a_piece_is_within_one_shard_and_is_as_long_as_it_may(tfrecord: Path, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(pieces, "BATCHES_PER_PIECE", 2)
    plan = plan_pieces(tfrecord, tmp_path, batch_size=4)
    assert [len(piece.keys) for piece in plan["train"]] == [8, 8, 4, 8, 8, 4, 8]
    assert [index for piece in plan["train"] for _, index in piece.keys] == list(range(48))
    assert len({piece.path for own in plan.values() for piece in own}) == sum(map(len, plan.values()))


@pytest.mark.skipif(torch.cuda.is_available() or count_workers(0) < 2, reason="needs two cores, and no accelerator")
def test_two_devices_write_the_rows_of_one(tfrecord: Path, tmp_path: Path):
    embed(tfrecord, tmp_path / "one", tmp_path / "a")
    embed(tfrecord, tmp_path / "two", tmp_path / "b", PARAMS.model_copy(update={"devices": 2}))
    for split in ("train", "val", "test"):
        left, right = (np.load(tmp_path / name / f"{split}.npy") for name in ("a", "b"))
        # Each has half of the cores, and the last bits of a sum depend on how many share it.
        np.testing.assert_allclose(left, right, atol=2e-3)


def test_more_devices_than_there_are():
    with pytest.raises(ParamsError, match=r"devices is 1000, but this machine has \d+ .*; expected at most that"):
        count_devices(1000)


@pytest.mark.parametrize(
    "changes",
    [
        {"outputs": "logits"},
        {"precision": "bf16-mixed"},
        {"batch_size": 4},
        {"seed": 3},
        {"backbone": backbone_section(image_size=64)},
    ],
)
def test_whatever_changes_an_answer_has_pieces_of_its_own(changes: dict[str, object]):
    changed = EmbedParams.model_validate(embed_section(**{"batch_size": 8, **changes}))
    assert fingerprint_network(changed)["params"] != fingerprint_network(PARAMS)["params"]


def test_where_and_how_fast_does_not():
    changed = PARAMS.model_copy(update={"devices": 2, "workers": 3})
    assert fingerprint_network(changed) == fingerprint_network(PARAMS)


def test_what_nobody_took_up_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    with open_kept_folder("embed", {"params": "a"}) as folder:
        for name in ("old", "new"):
            (folder / name).touch()
        long_ago = time.time() - (KEEP_DAYS + 1) * 86_400
        os.utime(folder / "old", (long_ago, long_ago))
    assert [file.name for file in folder.iterdir() if file.name != "lock"] == ["new"]
    os.utime(folder, (long_ago, long_ago))
    with open_kept_folder("embed", {"params": "b"}) as other:
        assert list((tmp_path / KEPT_FOLDER).iterdir()) == [other]
