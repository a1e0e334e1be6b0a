"""Judge every teacher, the student and the embeddings on the test photos: metrics, predictions and a report."""

from functools import partial
from itertools import chain
from pathlib import Path

import torch

from fieldguide.catalogue.splits import HELD_OUT, Split
from fieldguide.catalogue.taxonomy import Taxonomy
from fieldguide.engine import show_progress
from fieldguide.evaluate.answers import EvaluatedModel, answer, calibrate
from fieldguide.evaluate.few_shot import judge_embeddings
from fieldguide.evaluate.models import neighbour_model, network_model
from fieldguide.evaluate.params import EvaluateParams
from fieldguide.evaluate.report import ModelPage, draw_figures, show_mistakes, write_report
from fieldguide.evaluate.scores import ScoreRules, count_photos, score
from fieldguide.evaluate.seen_unseen import score_held_out
from fieldguide.evaluate.tables import (
    tabulate,
    write_calibration,
    write_confusion,
    write_predictions,
    write_reliability,
)
from fieldguide.files import remove_partials
from fieldguide.learn.device import prepared_device
from fieldguide.learn.network import load_network
from fieldguide.learn.predict import predict_logits
from fieldguide.params import load_section, read_params
from fieldguide.records.manifest import Manifest
from fieldguide.records.reader import RecordSet
from fieldguide.split.params import FrequencyParams
from fieldguide.stage import Metrics, run_stage
from fieldguide.track import stage_run

STUDENT, NEIGHBOURS = "student", "knn"


def evaluate(
    params: EvaluateParams, *, split: Path, tfrecord: Path, embed: Path, teachers: Path, student: Path, out: Path
) -> Metrics:
    """Write the report and its tables into `out` and return the numbers of each model by its name.

    Where species were held out, `few_shot` says how well the embeddings tell them apart.

    The teachers are those that params.yaml names now: a folder may still hold others from before.
    """
    out.mkdir(parents=True, exist_ok=True)
    remove_partials(out)
    train, val, test = (RecordSet.open(tfrecord, split) for split in ("train", "val", "test"))
    written = Manifest.read(tfrecord).splits
    held_out = {part.value: RecordSet.open(tfrecord, part) for part in HELD_OUT if part in written}
    rules = ScoreRules(params.ece_bins, load_section(FrequencyParams, "split.frequency"))
    taxonomy, num_train = test.taxonomy, count_photos(train)
    teacher_names = list(read_params()["train_teacher"])
    folders = {f"teacher-{name}": teachers / name for name in teacher_names} | {STUDENT: student}

    scores: Metrics = {}
    pages, predictions = [], []
    with prepared_device("32-true", params.workers) as fabric:
        networks = (network_at(folder, name, taxonomy, fabric.device, params) for name, folder in folders.items())
        votes = [
            neighbour_model(name, train, embed, num, params.neighbours.temperature)
            for name, num in ((f"{NEIGHBOURS}-1", 1), (NEIGHBOURS, params.neighbours.num))
        ]
        for model in show_progress(chain(networks, votes), len(folders) + len(votes), "judge"):
            temperatures = calibrate(model, val)
            answers = answer(model, temperatures, test)
            scores[model.name] = {
                **score(answers, test.regions, num_train, rules),
                **score_held_out(model, temperatures, answers, held_out, rules),
            }
            figures = draw_figures(answers, num_train, rules, taxonomy, out)
            mistakes = show_mistakes(answers, params.confused_pairs, train, test)
            pages.append(ModelPage(model.name, model.region, scores[model.name], figures, mistakes))
            predictions.append(tabulate(answers, test.photo_ids))
            if model.name == STUDENT:
                write_confusion(out / "confusion.csv", answers.first)
                write_reliability(out / "reliability.csv", answers.first, params.ece_bins)

    write_predictions(out / "predictions.parquet", predictions)
    write_calibration(out / "calibration.json", scores)
    unseen = held_out.get(Split.UNSEEN)
    few_shot = judge_embeddings(split, embed, train, unseen, params.few_shot) if unseen else {}
    write_report(out / "index.html", pages, len(test), taxonomy.ranks, params.ece_bins, few_shot)
    stage_run.log_artifact(out)
    return scores | ({"few_shot": few_shot} if few_shot else {})


def network_at(
    folder: Path, name: str, taxonomy: Taxonomy, device: torch.device, params: EvaluateParams
) -> EvaluatedModel:
    """The trained network in `folder` as a model; it moves to `device`."""
    network = load_network(folder)
    network.module.to(device)
    predict = partial(predict_logits, network, batch_size=params.batch_size, workers=params.workers)
    return network_model(name, network.spec, taxonomy, predict)


if __name__ == "__main__":
    run_stage(evaluate)
