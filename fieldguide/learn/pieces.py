"""Embeddings of whole record folders, of which only those shards are computed that no run has computed before.

A piece is a part of one shard under one network. Its file is named by the digest of the shard, and its folder by all
that decides what the network answers; so a shard that was added or changed costs that shard, a kill costs one piece,
and every workspace of a repository finds what another has made. A batch never holds photos of two pieces, so a piece
has the same bits whenever it is computed.
"""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from fieldguide.digests import is_sealed
from fieldguide.learn.checkpoint import take_up
from fieldguide.learn.dataset import PhotoDataset
from fieldguide.learn.device import choose_precision, prepared_device
from fieldguide.learn.devices import run_shares
from fieldguide.learn.embedder import build_embedder, measure_dim
from fieldguide.learn.embedding import BATCHES_PER_PIECE, Piece, compute_pieces
from fieldguide.learn.fingerprint import Fingerprint, describe_device, describe_software, make_fingerprint
from fieldguide.learn.params import FeatureParams
from fieldguide.learn.predict import call
from fieldguide.learn.transforms import Augmentation, to_grey
from fieldguide.learn.weights import describe_weights
from fieldguide.records.manifest import Manifest
from fieldguide.records.reader import RecordSet

log = logging.getLogger(__name__)

Pieces = dict[str, list[Piece]]
"""Those of each split, in the order of its records."""


def describe_embeddings(params: FeatureParams) -> dict[str, Any]:
    """What decides an embedding beside the photo, for backbone.json. Raises TrainingError for missing weights."""
    return {
        **params.backbone.model_dump(mode="json"),
        "weights": describe_weights(params.backbone.weights),
        "outputs": params.outputs,
        "precision": choose_precision(params.precision),
        "seed": params.seed,
        "grey": params.grey,
    }


def fingerprint_network(params: FeatureParams) -> Fingerprint:
    """All that the bits of a piece depend on beside its shard."""
    described = describe_embeddings(params)
    described["weights"] = {key: value for key, value in described["weights"].items() if key != "licence"}
    deciding = {**described, "batch_size": params.batch_size, "device": describe_device()}
    return make_fingerprint(deciding, None) | describe_software()


def plan_pieces(tfrecord: Path, folder: Path, batch_size: int) -> Pieces:
    """The pieces of all shards, in `folder`, whether they are there or not."""
    step = batch_size * BATCHES_PER_PIECE
    plan: Pieces = {}
    for split, entry in Manifest.read(tfrecord).splits.items():
        plan[split] = []
        first = 0
        for shard in entry.shards:
            for start in range(0, shard.num_records, step):
                end = min(start + step, shard.num_records)
                path = folder / f"{shard.sha256}-{start:09d}.npy"
                plan[split].append(Piece(path, [(0, first + row) for row in range(start, end)]))
            first += shard.num_records
    return plan


def complete_pieces(params: FeatureParams, tfrecord: Path, plan: Pieces) -> int:
    """Compute the pieces that are missing or damaged; return the dim of all."""
    missing = {split: [piece for piece in pieces if not _take_up(piece)] for split, pieces in plan.items()}
    num_photos, num_missing = _count(plan), _count(missing)
    if num_missing < num_photos:
        log.info("%d of %d photos were embedded by an earlier run", num_photos - num_missing, num_photos)
    if num_photos and not num_missing:
        first = next(piece for pieces in plan.values() for piece in pieces)
        return int(np.load(first.path, mmap_mode="r").shape[1])
    return run_shares(_compute_share, params.devices, missing, (params, tfrecord))[0]


def _count(pieces: Pieces) -> int:
    return sum(len(piece.keys) for of_split in pieces.values() for piece in of_split)


def _take_up(piece: Piece) -> bool:
    if not is_sealed(piece.path):
        return False
    take_up(piece.path)
    return True


def _compute_share(
    missing: Mapping[str, Sequence[Piece]], rank: int, num_devices: int, params: FeatureParams, tfrecord: Path
) -> int:
    """Compute every `num_devices`-th piece, from the `rank`-th on, on this process's device; the dim."""
    with prepared_device(params.precision, params.workers) as fabric:
        embedder = build_embedder(params.backbone, params.outputs, params.seed)
        dim = measure_dim(embedder, params.backbone.image_size)
        # Fabric's wrapper casts to the precision in `forward`, and `forward` is all that is called.
        module = fabric.setup_module(embedder.to(memory_format=torch.channels_last))
        augmentation = Augmentation([to_grey]) if params.grey else None
        number = 0
        for split, pieces in missing.items():
            own = [piece for place, piece in enumerate(pieces, start=number) if place % num_devices == rank]
            number += len(pieces)
            if own:
                compute_pieces(
                    module,
                    PhotoDataset(RecordSet.open(tfrecord, split), params.backbone, augmentation),
                    own,
                    call,
                    batch_size=params.batch_size,
                    workers=params.workers,
                    label=split if rank == 0 else None,
                )
    return dim
