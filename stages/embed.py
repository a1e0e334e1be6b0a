"""Compute the features of every photo under a frozen backbone."""

from pathlib import Path

import torch

from fieldguide.files import remove_partials, write_json, written_whole
from fieldguide.learn.checkpoint import open_run_folder
from fieldguide.learn.dataset import PhotoDataset
from fieldguide.learn.device import prepared_device
from fieldguide.learn.embed_files import BACKBONE_FILE, features_path, ids_path
from fieldguide.learn.embedding import write_features
from fieldguide.learn.fingerprint import make_fingerprint
from fieldguide.learn.network import build_module, classifier_of
from fieldguide.learn.params import EmbedParams
from fieldguide.learn.weights import describe_weights
from fieldguide.records.manifest import Manifest
from fieldguide.records.reader import RecordSet
from fieldguide.stage import Metrics, run_stage


def embed(params: EmbedParams, *, tfrecord: Path, out: Path, only: str = "") -> Metrics:
    """Write `{split}.npy`, `{split}.ids.txt` for every split, then backbone.json; for a repair just `only`."""
    out.mkdir(parents=True, exist_ok=True)
    (out / BACKBONE_FILE).unlink(missing_ok=True)
    remove_partials(out)
    weights = describe_weights(params.backbone.weights)
    module = build_module(params.backbone, num_outputs=1, seed=params.seed)
    fingerprint = make_fingerprint({**params.model_dump(mode="json"), "weights": weights}, tfrecord)
    wanted = {name.partition(".")[0] for name in only.split(",") if name}
    splits = [split for split in Manifest.read(tfrecord).splits if not wanted or split in wanted]
    metrics: Metrics = {}
    with (
        open_run_folder("embed", fingerprint) as folder,
        prepared_device(params.precision, params.workers) as fabric,
        # Fabric's own wrapper acts in `forward`, which features do not pass through.
        fabric.autocast(),
    ):
        module = fabric.setup_module(module.to(memory_format=torch.channels_last))
        for split in splits:
            records = RecordSet.open(tfrecord, split)
            with written_whole(ids_path(out, split)) as temporary:
                temporary.write_text("".join(f"{photo_id}\n" for photo_id in records.photo_ids), encoding="utf-8")
            write_features(
                module,
                PhotoDataset(records, params.backbone),
                [(0, index) for index in range(len(records))],
                features_path(out, split),
                folder=folder,
                batch_size=params.batch_size,
                workers=params.workers,
            )
            metrics[f"num_{split}"] = len(records)
    metrics["dim"] = classifier_of(module).in_features
    backbone = params.backbone.model_dump(mode="json") | {
        "weights": weights,
        "dim": metrics["dim"],
        "seed": params.seed,
    }
    write_json(out / BACKBONE_FILE, backbone)
    return metrics


if __name__ == "__main__":
    run_stage(embed)
