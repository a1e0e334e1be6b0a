"""Judge every teacher, the student and the embeddings on the test photos: metrics, predictions and a report."""

from itertools import chain
from pathlib import Path

from fieldguide.catalogue.splits import Split
from fieldguide.catalogue.taxonomy import Taxonomy
from fieldguide.evaluate import tables
from fieldguide.evaluate.evaluation import EvaluationData, evaluate_model
from fieldguide.evaluate.familiar import write_familiar
from fieldguide.evaluate.few_shot import judge_embeddings
from fieldguide.evaluate.models import neighbour_model, trained_model
from fieldguide.evaluate.params import EvaluateParams
from fieldguide.evaluate.prior_file import write_prior
from fieldguide.evaluate.report import write_class_tables, write_report
from fieldguide.evaluate.risk import trace_risk
from fieldguide.evaluate.rules import Situation
from fieldguide.evaluate.scores import ScoreRules
from fieldguide.export.model_folder import DESCRIPTIONS, MIX_UPS, describe_models
from fieldguide.files import remove_partials
from fieldguide.learn.device import prepared_device
from fieldguide.params import load_section, read_params
from fieldguide.progress import show_progress
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
    frequency = load_section(FrequencyParams, "split.frequency")
    rules = ScoreRules(
        params.ece_bins,
        frequency,
        max_error=params.max_error,
        set_coverage=params.set_coverage,
        max_strange=params.max_strange,
        max_prior_bytes=1e3 * params.max_prior_kb,
    )
    data = EvaluationData.open(tfrecord, split, rules)
    folders = {f"teacher-{name}": teachers / name for name in read_params()["train_teacher"]} | {STUDENT: student}
    pages, predictions, rules_of = [], [], {}
    with prepared_device("32-true", params.workers) as fabric:
        sizes = {
            "batch_size": params.batch_size,
            "workers": params.workers,
            "attention_photos": params.attention_photos,
        }
        # One after the other: only one network is in memory at a time.
        networks = (trained_model(name, at, data.taxonomy, fabric.device, **sizes) for name, at in folders.items())
        votes = [
            neighbour_model(name, data.train, embed, num, params.neighbours.temperature)
            for name, num in ((f"{NEIGHBOURS}-1", 1), (NEIGHBOURS, params.neighbours.num))
        ]
        for model in show_progress(chain(networks, votes), len(folders) + len(votes), "evaluate", unit="models"):
            evaluated = evaluate_model(model, data, params.confused_pairs, out)
            answers = evaluated.answers
            pages.append(evaluated.page)
            rules_of[model.name] = evaluated.rules
            if model.name in folders:
                write_prior(evaluated.prior, next(iter(model.classes)), out / DESCRIPTIONS.name / model.name)
                if evaluated.familiar:
                    write_familiar(evaluated.familiar, out / DESCRIPTIONS.name / model.name)
            predictions.append(tables.tabulate(answers, data.test.photo_ids))
            if model.name == STUDENT:
                rule = evaluated.rules.find(Situation.ONE)
                tables.write_confusion(out / "confusion.csv", answers.first)
                tables.write_reliability(out / "reliability.csv", answers.first, params.ece_bins)
                tables.write_answers(out / "answers.csv", answers, rule)
                tables.write_mix_ups(out / MIX_UPS, evaluated.val.first if evaluated.val else None)
                tables.write_risk(out / "risk.csv", trace_risk(answers, rule))

    scores: Metrics = {page.name: page.scores for page in pages}
    tables.write_predictions(out / "predictions.parquet", predictions)
    tables.write_calibration(out / "calibration.json", scores, rules_of)
    write_class_tables(out, pages)
    # With common names, which do not reach the records.
    describe_models(folders, out, data.test.style, Taxonomy.read(split / "taxonomy.json"))
    unseen = data.held_out.get(Split.UNSEEN)
    few_shot = judge_embeddings(split, embed, data.train, unseen, params.few_shot) if unseen else {}
    write_report(out / "index.html", pages, len(data.test), data.taxonomy.ranks, params.ece_bins, few_shot)
    stage_run.log_artifact(out)
    return scores | ({"few_shot": few_shot} if few_shot else {})


if __name__ == "__main__":
    run_stage(evaluate)
