"""`predict` on good, bad, huge and unknown files: formats, resuming, scores, refusals."""

import csv
import json
import shutil
import tarfile
import zipfile
from pathlib import Path

import pytest

from fieldguide.__main__ import main
from fieldguide.files import file_sha256
from fieldguide.inference.guide import load
from fieldguide.inference.journal import Journal, Line
from fieldguide.inference.photos import PhotoFile
from fieldguide.inference.run import answer_photos
from tests.inference.conftest import model as model
from tests.inference.conftest import photos as photos

GOOD = 8


def predict(*arguments: object) -> None:
    main(["predict", *map(str, arguments)])


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_a_folder_becomes_a_table(model: Path, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    out = tmp_path / "answers.csv"
    predict(photos, "--model", model, "--out", out)
    rows = {Path(row["file"]).name: row for row in read(out)}
    assert len(rows) == GOOD + 2
    assert rows["page.jpg"]["problem"].startswith("not_an_image")
    assert rows["cut.jpg"]["problem"].startswith("truncated")
    good = rows["large.webp"]
    assert good["problem"] == ""
    assert float(good["probability_1"]) >= float(good["probability_2"])
    said = capsys.readouterr()
    assert "2 of 10 photos have no answer" in said.err
    assert "1 x file that ends in .txt" in said.err
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_finished_output_is_not_overwritten(model: Path, photos: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "answers.csv"
    out.write_text("mine")
    with pytest.raises(SystemExit):
        predict(photos, "--model", model, "--out", out)
    assert "answers.csv exists" in capsys.readouterr().err
    assert out.read_text() == "mine"


def test_a_stopped_prediction_goes_on(model: Path, photos: Path, tmp_path: Path, capsys) -> None:
    whole, out = tmp_path / "whole.csv", tmp_path / "answers.csv"
    predict(photos, "--model", model, "--out", whole)
    files = sorted(photos.rglob("*/*.jpg"))
    journal = tmp_path / ".answers.csv.answers"
    # As a kill leaves it: three answers, and half of a fourth.
    begun = Journal.open(journal, settings_of(model))
    begun.add(answers_of(model, files[:3]))
    begun.close()
    with journal.open("a") as stream:
        stream.write('{"file": "half')
    predict(photos, "--model", model, "--out", out)
    assert out.read_bytes() == whole.read_bytes()

    begun = Journal.open(journal, {"model": "another"})
    begun.close()
    out.unlink()
    with pytest.raises(SystemExit):
        predict(photos, "--model", model, "--out", out)
    assert "holds answers of another model or other settings" in capsys.readouterr().err


def settings_of(model: Path) -> dict[str, object]:
    digest = file_sha256(model / "model.safetensors")
    return {"model": digest, "runtime": "torch", "top": 5, "labels": None}


def answers_of(model: Path, files: list[Path]) -> list[Line]:
    guide = load(model)
    return [line for lines in answer_photos(guide, [PhotoFile(str(f), f) for f in files], 5) for line in lines]


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])
def test_archives_are_read_as_they_are(model: Path, photos: Path, tmp_path: Path, kind: str) -> None:
    archive = tmp_path / f"trip.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(archive, "w") as opened:
            for path in sorted(photos.rglob("*.*")):
                opened.write(path, path.relative_to(photos))
    else:
        with tarfile.open(archive, "w:gz" if kind == "tar.gz" else "w") as opened_tar:
            opened_tar.add(photos, "photos")
    predict(archive, "--model", model, "--out", tmp_path / "inside.csv")
    predict(photos, "--model", model, "--out", tmp_path / "outside.csv")
    inside, outside = (
        {Path(row["file"]).name: row for row in read(tmp_path / f"{n}.csv")} for n in ("inside", "outside")
    )
    assert inside.keys() == outside.keys()
    assert all(inside[name] | {"file": ""} == outside[name] | {"file": ""} for name in inside)


def test_a_table_names_files_and_labels(model: Path, photos: Path, tmp_path: Path, capsys) -> None:
    files = sorted(photos.rglob("*/*.jpg"))
    table = photos / "table.csv"
    labels = ["Aster alpinus", "Linum album", "Aster alpinus", "Rosa canina", "Aster alpinus", "other"]
    rows = [f"{path.relative_to(photos)},{label}" for path, label in zip(files, labels, strict=True)]
    table.write_text("\n".join(["file,species", *rows, "gone.jpg,Linum album"]) + "\n")
    predict(table, "--model", model, "--labels", "column")
    said = capsys.readouterr()
    assert "gone.jpg: No such file or directory" in said.err
    header, species, genus = (line.split() for line in said.out.split("\n\n")[1].splitlines())
    assert header[:4] == ["rank", "photos", "top-1", "%"]
    assert species[:2] == ["species", "5"]
    assert species[6] == "100.0"  # Of the top 5 of 5 classes.
    assert genus[0] == "genus"
    assert "asks for %  species %  genus %  nothing %  wrong names %" in said.out
    assert "labels that are not in this guide: Rosa canina" in said.out


def test_folders_are_labels(model: Path, photos: Path, capsys) -> None:
    predict(photos, "--model", model, "--labels", "folder", "--top", "1")
    out = capsys.readouterr().out
    assert "unknown things" in out
    assert "species  3 " in out
    assert "top-1 %" in out
    assert "top-5" not in out


def test_strangers_are_nothing_in_this_guide(model: Path, photos: Path, tmp_path: Path, capsys) -> None:
    strict = shutil.copytree(model, tmp_path / "strict")
    calibration = json.loads((strict / "calibration.json").read_text())
    rules = calibration["rules"]
    for rule in (*rules["measured"].values(), rules["fallback"]):
        rule["min_familiarity"] = 1e6
    (strict / "calibration.json").write_text(json.dumps(calibration))
    predict(photos, "--model", strict)
    out = capsys.readouterr().out
    assert out.count("nothing in this guide: unlike all its photos") == GOOD
    for kind in ("csv", "json", "speciesnet"):
        predict(photos, "--model", strict, "--out", tmp_path / kind, "--format", kind)
    rows = [row for row in read(tmp_path / "csv") if not row["problem"]]
    assert {(row["rank"], row["name"], row["vernacular"], row["probability"]) for row in rows} == {
        ("", "nothing in this guide", "", "")
    }
    said = [photo for photo in json.loads((tmp_path / "json").read_text())["photos"] if "verdict" in photo]
    assert {(photo["verdict"], photo["taxon"]["name"]) for photo in said} == {("strange", "other")}
    predictions = json.loads((tmp_path / "speciesnet").read_text())["predictions"]
    assert {each["prediction"] for each in predictions if "prediction" in each} == {";;;;;;"}


@pytest.mark.parametrize("runtime", ["torch", "onnx"])
def test_formats(model: Path, photos: Path, tmp_path: Path, runtime: str) -> None:
    made = {}
    for kind in ("json", "darwincore", "speciesnet"):
        made[kind] = tmp_path / f"answers.{kind}"
        predict(photos, "--model", model, "--out", made[kind], "--format", kind, "--runtime", runtime)
    content = json.loads(made["json"].read_text())
    assert len(content["photos"]) == GOOD + 2
    [large] = [photo for photo in content["photos"] if photo["file"].endswith("large.webp")]
    assert set(large) == {"file", "verdict", "taxon", "top", "max_error", "num_likely"}
    rows = read(made["darwincore"])
    assert len(rows) == GOOD
    assert {row["basisOfRecord"] for row in rows} == {"MachineObservation"}
    assert {row["identificationVerificationStatus"] for row in rows} == {"unverified"}
    predictions = json.loads(made["speciesnet"].read_text())["predictions"]
    assert sum(entry.get("failures") == ["CLASSIFIER"] for entry in predictions) == 2
    for entry in predictions:
        for label in entry.get("classifications", {}).get("classes", []):
            assert label.count(";") == 6


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere"], "nowhere is missing; expected a photo, a folder, an archive or a table of photos"),
        (["photos/page.jpg"], "no photo could be read"),
        (["photos/notes.csv"], "no column names files; say which does with --column"),
        (["photos/web.csv"], "is an address; expected the path of a file, as nothing is fetched"),
        (["photos", "--top", "0"], "--top 0; expected 1 or more"),
        (["photos", "--model", "nowhere"], "nowhere/labels.json is missing"),
        (["empty"], "no photos in empty"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(
    model: Path, photos: Path, tmp_path: Path, monkeypatch, capsys, arguments: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (photos / "notes.csv").write_text("when,who\n2020,Ada\n")
    (photos / "web.csv").write_text("url\nhttps://example.org/1.jpg\n")
    with pytest.raises(SystemExit):
        predict(*(["--model", model] if "--model" not in arguments else []), *arguments)
    assert said in capsys.readouterr().err.splitlines()[-1]
