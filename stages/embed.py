"""Compute the features of every photo under a frozen backbone, and say what they tell about the labels."""

from pathlib import Path

from fieldguide.engine import EngineParams
from fieldguide.files import remove_partials, write_json, written_whole
from fieldguide.learn.checkpoint import open_kept_folder
from fieldguide.learn.embed_files import BACKBONE_FILE, FUSED, features_path, ids_path
from fieldguide.learn.embedding import join_pieces
from fieldguide.learn.params import EmbedParams
from fieldguide.learn.pieces import complete_pieces, describe_embeddings, fingerprint_network, plan_pieces
from fieldguide.records.fuse import fuse_records
from fieldguide.records.reader import RecordSet
from fieldguide.review.review import review_embeddings
from fieldguide.review.suspects import read_truth
from fieldguide.stage import Metrics, run_stage


def embed(
    params: EmbedParams,
    *,
    tfrecord: Path,
    out: Path,
    fetch: Path | None = None,
    split: Path | None = None,
    reports: Path | None = None,
    only: str = "",
) -> Metrics:
    """Write `{split}.npy`, `{split}.ids.txt` of every split, what `fuse` asks for, then backbone.json.

    A map and suspect labels go to `reports`; without it nothing is reviewed. `fetch` and `split` tell from which row a
    suspect photo came, and which photos belong together; without them that stays unsaid. For a repair just the files
    `only`, `A,B`. Raises TrainingError where the
    network cannot be built or its features are beyond float16, ParamsError for a wrong file of known errors.
    """
    out.mkdir(parents=True, exist_ok=True)
    (out / BACKBONE_FILE).unlink(missing_ok=True)
    remove_partials(out)
    # Before the long part, so that a wrong path costs nothing.
    truth = read_truth(params.review.truth) if params.review.truth else None
    metrics: Metrics = {}
    with open_kept_folder("embed", fingerprint_network(params)) as folder:
        plan = plan_pieces(tfrecord, folder, params.batch_size)
        if wanted := {name.partition(".")[0] for name in only.split(",") if name}:
            plan = {part: pieces for part, pieces in plan.items() if part in wanted}
        dim = complete_pieces(params, tfrecord, plan)
        for part, pieces in plan.items():
            photo_ids = RecordSet.open(tfrecord, part).photo_ids
            with written_whole(ids_path(out, part)) as temporary:
                temporary.write_text("".join(f"{photo_id}\n" for photo_id in photo_ids), encoding="utf-8")
            join_pieces(pieces, features_path(out, part), dim)
            metrics[f"num_{part}"] = len(photo_ids)
    metrics["dim"] = dim
    if params.fuse == "lab":
        engine = EngineParams(backend="loky", workers=max(1, params.workers))
        fuse_records(tfrecord, out / FUSED, {part: features_path(out, part) for part in plan}, engine)
    write_json(out / BACKBONE_FILE, describe_embeddings(params) | {"dim": dim})
    if reports:
        metrics |= review_embeddings(params.review, tfrecord, out, fetch, split, reports, truth)
    return metrics


if __name__ == "__main__":
    run_stage(embed)
