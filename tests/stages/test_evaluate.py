"""The evaluate stage on records with small untrained networks: what it writes, and for whom."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image

import fieldguide
from fieldguide.__main__ import main
from fieldguide.errors import ExportError, TrainingError
from fieldguide.learn.network import build_network, save_network
from fieldguide.learn.params import BackboneParams
from fieldguide.records.reader import RecordSet
from tests.stages.evaluating import BACKBONE, NORTH, PARAMS, make_workspace, run_evaluate

pytestmark = pytest.mark.slow

RATES = {"top1", "top5", "macro_f1", "ece", "ece_calibrated"}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("evaluate")
    make_workspace(root)
    return root


@pytest.fixture(scope="module")
def evaluated(workspace: Path) -> tuple[dict[str, Any], Path]:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(workspace)
        return run_evaluate(workspace, workspace / "out"), workspace / "out"


def test_says_how_much_a_vision_transformer_looks_at_padding(
    evaluated: tuple[dict[str, Any], Path], workspace: Path, tmp_path: Path
):
    metrics, out = evaluated
    assert [name for name, scores in metrics.items() if "attention" in scores] == ["teacher-regional"]
    attention = metrics["teacher-regional"]["attention"]
    assert (attention["num_photos"], attention["padding"], attention["on_padding_masked"]) == (3, 0.25, 0)
    assert 0.1 < attention["on_padding_unmasked"] < 0.4
    assert (out / "attention-teacher-regional.png").exists()
    assert "Attention on padding" in (out / "index.html").read_text()
    shutil.copytree(workspace / "teachers/regional", tmp_path / "regional")
    shutil.copytree(out, tmp_path / "reports/evaluate")
    guide = fieldguide.load(tmp_path / "regional")
    photo = Image.fromarray(np.random.default_rng(1).integers(0, 256, (20, 40, 3), np.uint8))
    square = guide.to_square(photo)
    assert square.box == (0, 8, 32, 24)
    others = [square._replace(pixels=np.where(is_inside(square.box), square.pixels, fill)) for fill in (0, 99)]
    answers = guide.answer([square, *others])
    assert answers[0] == answers[1] == answers[2]
    assert answers[0].taxon.probability == guide.predict([photo])[0].taxon.probability
    embedded = [guide.runtime.see(guide._to_inputs([each]))[1] for each in (square, *others)]
    assert np.isfinite(embedded).all()
    assert np.array_equal(embedded[0], embedded[1])


def is_inside(box: tuple[int, int, int, int]) -> np.ndarray:
    inside = np.zeros((32, 32, 1), bool)
    left, top, right, bottom = box
    inside[top:bottom, left:right] = True
    return inside


def models_of(metrics: dict[str, Any]) -> dict[str, Any]:
    return {name: scores for name, scores in metrics.items() if name != "few_shot"}


def test_judges_the_teachers_that_the_params_name(evaluated: tuple[dict[str, Any], Path]):
    metrics = models_of(evaluated[0])
    assert list(metrics) == ["teacher-global", "teacher-regional", "student", "knn-1", "knn"]
    for scores in metrics.values():
        assert {*RATES, "num_photos", "temperature", "ranks", "regions", "frequency"} <= set(scores)
        assert all(0 <= scores[name] <= 1 for name in RATES)
        assert set(scores["ranks"]) == {"species", "genus"}
        assert sum(region["num_photos"] for region in scores["regions"].values()) == scores["num_photos"]
    assert metrics["teacher-global"]["num_photos"] == metrics["student"]["num_photos"] == 24
    assert 0 < metrics["teacher-regional"]["num_photos"] < 8
    assert list(metrics["teacher-regional"]["regions"]) == ["north"]
    assert metrics["knn"]["top1"] == 1.0
    json.dumps(metrics, allow_nan=False)


def test_judges_what_was_held_out(evaluated: tuple[dict[str, Any], Path]):
    metrics, out = evaluated
    for scores in models_of(metrics).values():
        assert {*RATES, "ranks"} <= set(scores["seen"])
        assert list(scores["unseen"]["ranks"]) == ["genus"]
        assert 0 <= scores["unseen"]["auroc"] <= 1
    assert metrics["student"]["seen"]["num_photos"] == 12
    assert metrics["student"]["unseen"]["num_photos"] == 18
    assert metrics["teacher-regional"]["unseen"]["num_photos"] == 6
    assert metrics["knn"]["seen"]["top1"] == 1.0
    assert {shots: score["num_species"] for shots, score in metrics["few_shot"].items()} == {"1_shot": 3}
    assert "1-shot" in (out / "index.html").read_text()


def test_says_what_would_be_said(evaluated: tuple[dict[str, Any], Path]):
    metrics, out = models_of(evaluated[0]), evaluated[1]
    for scores in metrics.values():
        answer = scores["answer"]
        assert set(answer["ece"]) == set(answer["ece_interval"]) == {"species", "genus"}
        assert answer["unseen_refused"] == scores["unseen"]["refused"]
        assert answer["blank_refused"] is None
        for shares in (
            answer,
            *answer["situations"].values(),
            *answer["by_num_photos"].values(),
            scores["place"]["with"],
        ):
            counted = {"coverage", "risk", "accuracy", "accuracy_by_rank", "set_size", "set_coverage", "top1", "ece"}
            assert all(f"{name}_interval" in shares for name in counted & set(shares) if shares[name] is not None)
        assert answer["fusion_exponent"] == 0  # of so few nothing is learnt
        assert scores["place"]["strength"] == 0
        assert scores["place"]["with"] == scores["place"]["wrong_place"]
    student = metrics["student"]["answer"]
    told = json.loads((out / "calibration.json").read_text())["student"]["rules"]["measured"]["one"]["tested"]
    assert told == {name: student[name] for name in ("num_photos", "risk", "risk_interval")}
    assert 16 <= student["num_photos_fused"] <= 24
    one, two = student["by_num_photos"].values()
    assert one["num_observations"] == two["num_observations"] == student["num_photos_fused"] // 2
    assert "Several photos of one observation" in (out / "index.html").read_text()


def test_writes_the_report_and_its_tables(evaluated: tuple[dict[str, Any], Path]):
    metrics, out = models_of(evaluated[0]), evaluated[1]
    kinds = ("confusion", "reliability", "coverage", "risk", "accuracy")
    pictures = {f"{kind}-{model}.png" for kind in kinds for model in metrics} | {"attention-teacher-regional.png"}
    tables = {
        "answers.csv",
        "classes.csv",
        "confusion.csv",
        "mix_ups.csv",
        "rebalancing.csv",
        "reliability.csv",
        "risk.csv",
        "calibration.json",
        "predictions.parquet",
        "index.html",
        "models",
    }
    assert {path.name for path in out.iterdir()} == pictures | tables
    predictions = pl.read_parquet(out / "predictions.parquet")
    counted = predictions.group_by("model").len()
    assert dict(counted.iter_rows()) == {model: scores["num_photos"] for model, scores in metrics.items()}
    for model, scores in metrics.items():
        own = predictions.filter(pl.col("model") == model)
        top1 = (own["top5"].list.first() == own["label"]).mean()
        assert top1 == pytest.approx(scores["top1"], abs=1e-6)
    calibration = json.loads((out / "calibration.json").read_text())
    assert calibration["student"]["temperatures"]["species"] == metrics["student"]["temperature"]


def test_says_what_is_lost_and_what_the_options_would_change(evaluated: tuple[dict[str, Any], Path]):
    metrics, out = models_of(evaluated[0]), evaluated[1]
    recalls = pl.read_csv(out / "classes.csv")
    # No class is left out, and every validation photo counts once for each model of all regions.
    own = recalls.filter(pl.col("model") == "student")
    assert own["num_val"].sum() == 18
    assert own["num_test"].sum() == 24
    assert set(recalls["model"]) == set(metrics)
    options = pl.read_csv(out / "rebalancing.csv")
    assert set(options["model"]) == {"teacher-global", "teacher-regional", "student"}
    for model in options["model"].unique():
        assert set(metrics[model]["rebalanced"]) == {"species", "genus"}
        untouched = options.filter(
            (pl.col("model") == model) & (pl.col("option") == "as trained") & (pl.col("photos_of") == "all")
        )
        [top1] = untouched.filter((pl.col("rank") == "species") & (pl.col("split") == "test"))["accuracy"]
        assert top1 == pytest.approx(metrics[model]["top1"], abs=1e-6)
    assert "rebalanced" not in metrics["knn"]
    page = (out / "index.html").read_text()
    assert page.count("Recognised least") == len(metrics)
    assert page.count("What adjusting the classifier would change") == 3


def test_a_second_run_gives_the_same_bytes(evaluated: tuple[dict[str, Any], Path], workspace: Path, monkeypatch):
    metrics, out = evaluated
    monkeypatch.chdir(workspace)
    assert run_evaluate(workspace, workspace / "again") == metrics
    for path in (path for path in out.rglob("*") if path.is_file()):
        assert (workspace / "again" / path.relative_to(out)).read_bytes() == path.read_bytes(), path.name


def test_a_teacher_that_is_not_there_is_named(workspace: Path, tmp_path: Path, monkeypatch):
    (tmp_path / "params.yaml").write_text(json.dumps({**PARAMS, "train_teacher": {"alpine": {}}}))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TrainingError, match=r"teachers/alpine/model\.json is missing"):
        run_evaluate(workspace, tmp_path / "out")


def test_every_network_answers_from_its_own_folder_as_it_was_evaluated(
    evaluated: tuple[dict[str, Any], Path], workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    metrics, out = evaluated
    shutil.copytree(out, workspace / "reports/evaluate")
    test = RecordSet.open(workspace / "tfrecord", "test")
    for number in range(len(test)):
        name = test.taxonomy.classes["species"][test.labels("species")[number]]
        photo = tmp_path / name / f"{number}.jpg"
        photo.parent.mkdir(exist_ok=True)
        photo.write_bytes(test[number].image)
    main(["predict", str(tmp_path), "--model", str(workspace / "teachers/global"), "--labels", "folder"])
    _, by_rank, _ = capsys.readouterr().out.split("\n\n")
    species = by_rank.splitlines()[1].split()
    scores = metrics["teacher-global"]["ranks"]["species"]
    low, high = (f"{100 * bound:.0f}" for bound in scores["top1_interval"])
    top1, top5, macro_f1 = (f"{100 * scores[name]:.1f}" for name in ("top1", "top5", "macro_f1"))
    assert species[:-1] == ["species", "24", top1, low, "to", high, top5, macro_f1]
    assert float(species[-1]) == pytest.approx(scores["ece_calibrated"], abs=2e-3)
    guide = fieldguide.load(workspace / "teachers/global")
    assert guide.calibration.temperatures["species"] == metrics["teacher-global"]["ranks"]["species"]["temperature"]
    assert fieldguide.load(workspace / "teachers/regional").labels.classes == NORTH
    retrained = workspace / "teachers/retrained"
    retrained.mkdir()
    backbone = BackboneParams.model_validate(BACKBONE)
    save_network(build_network(backbone, ranks=["species", "genus"], classes=NORTH, region="north", seed=4), retrained)
    with pytest.raises(ExportError, match=r"is not what .* describes .*; expected weights that the evaluate stage"):
        fieldguide.load(retrained)
