"""`python -m fieldguide preset`: a whole params.yaml, or one line that says why not."""

import subprocess
from pathlib import Path

import pytest

from fieldguide.__main__ import main
from fieldguide.params import read_params
from fieldguide.presets import preset_names
from fieldguide.sections import SECTIONS


@pytest.mark.parametrize("name", preset_names())
def test_a_preset_becomes_a_whole_file(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    out = tmp_path / "params.yaml"
    main(["preset", name, "--out", str(out)])
    assert capsys.readouterr().out == f"{out}: preset {name}\n"
    assert list(read_params(out)) == list(SECTIONS)


def test_values_are_set_on_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    overrides = ["split.salt=other", "train_teacher.regional.rank_weights.genus=0.9", "evaluate.few_shot.shots=[2]"]
    main(["preset", "sample", "--set", *overrides[:2], "--set", overrides[2]])
    params = read_params()
    assert params["split"]["salt"] == "other"
    weights = [teacher["rank_weights"]["genus"] for teacher in params["train_teacher"].values()]
    assert weights == [0.3, 0.9]
    assert params["evaluate"]["few_shot"]["shots"] == [2]


def test_an_overlay_may_be_a_file_of_ones_own(tmp_path: Path):
    overlay = tmp_path / "mine.yaml"
    overlay.write_text(
        """
templates:
  backbone: {weights: {from: hub, licence: MIT}}
  training: {rank_weights: {species: 1}}
fetch: {sources: {mine: {kind: folders, roots: [photos]}}}
split: {ranks: [species], taxonomy: null}
train_teacher: {world: {}}
distill_student: {teachers: {world: 1}}
""",
        encoding="utf-8",
    )
    main(["preset", str(overlay), "--out", str(tmp_path / "params.yaml")])
    assert read_params(tmp_path / "params.yaml")["train_teacher"]["world"]["weights"]["licence"] == "MIT"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nix"], "preset 'nix' is unknown; expected one of colorization,"),
        (["sample", "--set", "split.rank=[a]"], "--set split.rank=[a]: key 'rank' is unknown; expected one of ranks,"),
        (
            ["sample", "--set", "clean.min_side=0"],
            "sample: key 'clean.min_side': Input should be greater than 0; got 0",
        ),
        (
            ["sample", "--set", "split.ranks=[species]"],
            "sample: train_teacher.global.rank_weights names species, genus,",
        ),
    ],
)
def test_what_is_wrong_is_one_line_and_nothing_is_written(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    out = tmp_path / "params.yaml"
    with pytest.raises(SystemExit, match="1"):
        main(["preset", *arguments, "--out", str(out)])
    shown = capsys.readouterr().err
    assert shown.startswith(f"preset: {message}")
    assert shown.count("\n") == 1
    assert not out.exists()


def test_changes_that_nobody_else_holds_are_not_written_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    main(["preset", "sample"])
    main(["preset", "plants"])
    main(["preset", "sample", "--set", "split.salt=mine"])
    before = Path("params.yaml").read_bytes()
    with pytest.raises(SystemExit):
        main(["preset", "plants"])
    assert Path("params.yaml").read_bytes() == before
    for command in (["init", "-q"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "a"]):
        subprocess.run(["git", *command], check=True)
    main(["preset", "plants"])
    main(["preset", "sample", "--set", "split.salt=yours"])
    with pytest.raises(SystemExit):
        main(["preset", "sample", "--set", "split.salt=mine"])
    main(["preset", "plants", "--force"])


@pytest.mark.parametrize("out", ["folder", "file/params.yaml"])
def test_a_place_where_nothing_can_be_written_is_one_line(out: str, tmp_path: Path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    Path("file").write_text("")
    with pytest.raises(SystemExit):
        main(["preset", "sample", "--out", out])
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("preset: ")
