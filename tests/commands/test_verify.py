"""`verify` as a program: bad files on stdout and nothing else, exit code 1 if there are any, and what it refuses."""

from pathlib import Path

import pytest

from fieldguide.__main__ import main
from tests.records.making import make_photo
from tests.verify.conftest import project, root
from tests.verify.making import flip
from tests.verify.test_tar_shards import foreign

__all__ = ["project", "root"]

FOREIGN = "foreign/train-{000..001}.tar"


@pytest.fixture
def shards(root: Path) -> Path:
    """Two WebDataset tars of somebody else, with words beside them; the second is damaged."""
    photo = make_photo(1)[1]
    Path("foreign").mkdir()
    Path("foreign/LICENSE").write_text("words")
    Path("foreign/train-000.tar").write_bytes(foreign({"a.jpg": photo, "a.cls": b"3"}))
    Path("foreign/train-001.tar").write_bytes(foreign({"a.jpg": photo[:-40]}))
    return root


def fail(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[list[str], str]:
    with pytest.raises(SystemExit) as left:
        main(["verify", *words])
    assert left.value.code == 1
    said = capsys.readouterr()
    return said.out.splitlines(), said.err


@pytest.mark.usefixtures("root")
def test_what_is_whole_prints_nothing(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture):
    caplog.set_level("INFO")
    main(["verify"])
    assert capsys.readouterr().out == ""
    assert "interim/tfrecord: 13 files" in caplog.text
    assert "52 photos decoded: whole" in caplog.text


@pytest.mark.usefixtures("root")
def test_bad_files_are_lines_in_order(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture):
    damaged = ["interim/resize/train-00001.tar", "interim/tfrecord/labels.parquet", "models/student/model.safetensors"]
    for name in reversed(damaged):
        flip(Path(name), 8 * 600 if name.endswith("tar") else 800)
    for words in ([], ["--workers", "2"], ["models", "interim/*/"]):
        lines, said = fail(capsys, *words)
        assert lines == damaged
        assert said.splitlines()[-1] == "verify: 3 bad files, as listed"
    assert "interim/resize/train-00001.tar is damaged: '" in caplog.text


def test_shards_of_others_are_checked_and_that_is_said(
    shards: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
):
    caplog.set_level("INFO")
    assert fail(capsys, "foreign")[0] == ["foreign/train-001.tar"]
    assert "foreign: 1 shards are not ours: no digests say" in caplog.text
    assert "passed over, as nothing speaks of them: LICENSE" in caplog.text
    main(["verify", "foreign/train-000.tar"])
    assert capsys.readouterr().out == ""


def test_only_outputs_and_shards_that_are_named_are_deleted(shards: Path, capsys: pytest.CaptureFixture[str]):
    for words in (["foreign"], ["foreign/LICENSE"], ["models/README.md"]):
        lines, said = fail(capsys, *words, "--delete")
        assert lines == []
        assert "is no output of a stage; --delete takes outputs" in said
    assert Path("foreign/train-001.tar").exists()
    assert fail(capsys, FOREIGN, "--delete")[0] == ["foreign/train-001.tar"]
    assert sorted(path.name for path in Path("foreign").iterdir()) == ["LICENSE", "train-000.tar"]
    Path("data.dvc").write_text("outs:\n- md5: 0123.dir\n  path: foreign\n")
    assert "is an input, tracked by DVC" in fail(capsys, "foreign/train-000.tar", "--delete")[1]


@pytest.mark.usefixtures("root")
def test_a_stranger_in_an_output_is_named_and_left(capsys: pytest.CaptureFixture[str]):
    Path("interim/resize/notes.txt").write_text("words")
    for action in ("--delete", "--repair"):
        assert fail(capsys, "interim/resize", action)[0] == ["interim/resize/notes.txt"]
        assert Path("interim/resize/notes.txt").exists()


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["absent"], "absent is missing; expected a file or a folder"),
        (["empty"], "empty: no files here"),
        (["--workers", "-1"], "--workers is -1; expected 0 or more"),
    ],
)
def test_what_cannot_be_checked(words: list[str], message: str, capsys: pytest.CaptureFixture[str]):
    Path("empty").mkdir()
    lines, said = fail(capsys, *words)
    assert lines == []
    assert message in said
