"""What a network's backbone gives of the training photos before it learns: what its first head is fitted to."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from fieldguide.errors import TrainingError
from fieldguide.learn.checkpoint import open_kept_folder
from fieldguide.learn.embed_files import BACKBONE_FILE, features_path, ids_path
from fieldguide.learn.network import Network
from fieldguide.learn.params import BackboneParams, FeatureParams
from fieldguide.learn.pieces import complete_pieces, fingerprint_network, plan_pieces
from fieldguide.learn.training_params import TrainingParams
from fieldguide.records.reader import RecordSet

COMPARED = ("architecture", "architecture_args", "image_size", "mean", "std", "weights")
BATCH_SIZE = 64
"""Photos that are embedded at once; were it the training's, another batch size would cost all features."""


def find_features(
    network: Network,
    params: TrainingParams,
    tfrecord: Path,
    embed: Path | None,
    records: RecordSet,
    indices: np.ndarray,
) -> np.ndarray:
    """Features of the photos at `indices`, as they are: float32 [len(indices), dim].

    Those that lie in `embed`, the embed stage's folder; None: the backbone of `params` is asked. Raises TrainingError
    if its weights are random, which is nothing to build on, if the folder is about another backbone or other photos, or
    where a feature is beyond float16.
    """
    if network.spec.weights["from"] == "scratch":
        raise TrainingError("head_init is linear_probe but weights are from scratch; expected weights from file or hub")
    rows = _embed_photos(params, tfrecord, records) if embed is None else _read_embeddings(network, embed, records)
    features: np.ndarray = rows[indices].astype(np.float32)
    return features


def _read_embeddings(network: Network, embed: Path, records: RecordSet) -> np.ndarray:
    """What the embed stage kept of all records: float16 [num_records, dim], a map."""
    _check_backbone(network, embed)
    if ids_path(embed, records.split).read_text(encoding="utf-8").split() != records.photo_ids:
        raise TrainingError(f"{ids_path(embed, records.split)} lists other photos than the records; run embed again")
    rows: np.ndarray = np.load(features_path(embed, records.split), mmap_mode="r")
    return rows


def _embed_photos(params: TrainingParams, tfrecord: Path, records: RecordSet) -> np.ndarray:
    """Features of all records: float16 [num_records, dim].

    Computed once for all runs with this backbone, piece by piece, and kept where the embed stage keeps its pieces.
    Processes that train together wait for the first one.
    """
    asked = FeatureParams(
        backbone=BackboneParams.model_validate({name: getattr(params, name) for name in BackboneParams.model_fields}),
        outputs="prelogits",
        batch_size=BATCH_SIZE,
        precision=params.precision,
        devices=1,
        workers=params.workers,
        seed=params.seed,
        grey=False,
    )
    with open_kept_folder("embed", fingerprint_network(asked)) as folder:
        pieces = plan_pieces(tfrecord, folder, BATCH_SIZE)[records.split]
        complete_pieces(asked, tfrecord, {records.split: pieces})
        return np.concatenate([np.load(piece.path, mmap_mode="r") for piece in pieces])


def _check_backbone(network: Network, embed: Path) -> None:
    path = embed / BACKBONE_FILE
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise TrainingError(f"{path} is missing; run the embed stage first") from None
    if found.get("outputs", "prelogits") != "prelogits":
        raise TrainingError(f"head_init is linear_probe, but {path} is of {found['outputs']}; expected prelogits")
    wanted = network.spec.model_dump(mode="json")
    for key in COMPARED:
        if found.get(key) != wanted[key]:
            raise TrainingError(
                f"head_init is linear_probe, but {path} has {key} {found.get(key)!r} and this network {wanted[key]!r}; "
                f"embed with the same backbone or set head_init: none"
            )
