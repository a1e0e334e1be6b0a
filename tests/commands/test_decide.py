"""Decisions about photos are added, changed and taken back."""

from pathlib import Path

import polars as pl
import pytest

from fieldguide.__main__ import main
from fieldguide.clean.decisions import DECISIONS_LIST, read_decisions

A, B = "a" * 16, "b" * 16


@pytest.fixture(autouse=True)
def _root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "interim/fetch").mkdir(parents=True)
    catalogue = pl.DataFrame({"photo_id": [A, B], "label": ["Aster alpinus", "Aster bellus"]})
    catalogue.write_parquet("interim/fetch/catalogue.parquet")


def test_a_list_that_the_page_saved_is_taken_and_changed(capsys: pytest.CaptureFixture[str]):
    Path("saved.csv").write_text(f"photo_id,decision\n{A},relabel:Aster bellus\n{B},drop\n")
    main(["decide", "saved.csv"])
    assert capsys.readouterr().out.splitlines() == [
        "decisions.csv: 2 decisions new or changed; now 1 photos to drop, 1 to relabel",
        "Next: git commit decisions.csv, then dvc repro",
    ]
    main(["decide", A, "drop"])
    main(["decide", B, "forget"])
    assert read_decisions(DECISIONS_LIST).of_photo == {A: "drop"}
    assert "1 decisions new or changed; now 1 photos to drop, 0 to relabel" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["f" * 16, "drop"], "decide: ffffffffffffffff: no photo 'ffffffffffffffff' in the catalogue"),
        ([A, "keep"], f"decide: {A}: decision 'keep' is unknown; expected drop or relabel:NEW LABEL"),
        ([A], f"decide: photo {A} needs a decision"),
        ([A, "forget"], f"decide: nothing is decided about '{A}'"),
        (["12", "drop"], "decide: '12' is no photo id"),
        (["none.csv"], "decide: none.csv is missing"),
    ],
)
def test_what_is_not_understood_is_one_line_and_changes_nothing(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
):
    with pytest.raises(SystemExit):
        main(["decide", *arguments])
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(message)
    assert not DECISIONS_LIST.exists()
