"""`verify` names every damaged file of every output, and nothing else."""

import shutil
from argparse import Namespace
from pathlib import Path

import pytest

from fieldguide.commands.verify import run
from fieldguide.digests import write_digests
from fieldguide.engine import run_isolated
from fieldguide.errors import FieldguideError
from fieldguide.records.writer import write_records
from tests.records.making import ENGINE, TAXONOMY, make_resized


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("outputs")
    resized = make_resized(root / "interim/resize", {"train": 20, "val": 4})
    run_isolated(
        write_records, resized, TAXONOMY, root / "interim/tfrecord", records_per_shard=8, salt="s", engine=ENGINE
    )
    (root / "models/student").mkdir(parents=True)
    (root / "models/student/model.safetensors").write_bytes(b"weights" * 99)
    for folder, stage in {"interim/resize": "resize", "interim/tfrecord": "tfrecord", "models/student": "x"}.items():
        write_digests(root / folder, stage)
    return root


@pytest.fixture
def root(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(shutil.copytree(whole, tmp_path / "copy"))
    return Path()


def flip(path: Path, byte: int = -600) -> None:
    content = bytearray(path.read_bytes())
    content[byte] ^= 1
    path.write_bytes(content)


def test_what_is_whole_is_said_to_be(root: Path, capsys: pytest.CaptureFixture[str]):
    run(Namespace(path=[]))
    folders = ["interim/resize", "interim/tfrecord", "models/student"]
    assert capsys.readouterr().out.splitlines() == [f"{folder}: whole" for folder in folders]


@pytest.mark.parametrize(
    "damaged",
    [
        ["interim/resize/train-00000.tar", "interim/tfrecord/labels.parquet", "models/student/model.safetensors"],
        ["interim/tfrecord/train-00000-of-00003.tfrecord", "interim/tfrecord/train-00002-of-00003.tfrecord"],
        ["interim/tfrecord/digests.json"],
    ],
)
def test_every_damaged_file_has_its_line(root: Path, damaged: list[str], capsys: pytest.CaptureFixture[str]):
    for name in damaged:
        flip(root / name)
    with pytest.raises(FieldguideError, match=f"{len(damaged)} damaged or missing"):
        run(Namespace(path=[]))
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" is damaged: ")[0] for line in lines if not line.endswith(": whole")] == damaged
    for name in damaged[:1]:
        with pytest.raises(FieldguideError):
            run(Namespace(path=[root / name]))


def test_in_a_tar_every_byte_counts(root: Path):
    tar = root / "interim/resize/val-00000.tar"
    for byte in [*range(0, 3 * 512, 37), -1]:
        flip(tar, byte)
        with pytest.raises(FieldguideError):
            run(Namespace(path=[tar]))
        flip(tar, byte)
    run(Namespace(path=[tar]))


def test_what_is_missing_is_named(root: Path, capsys: pytest.CaptureFixture[str]):
    (root / "models/student/model.safetensors").unlink()
    with pytest.raises(FieldguideError):
        run(Namespace(path=[root / "models"]))
    assert "model.safetensors is missing; run `dvc repro --force x`" in capsys.readouterr().out


@pytest.mark.parametrize(("path", "message"), [("absent", "absent is missing"), ("empty", r"empty: no digests\.json")])
def test_what_cannot_be_checked_is_an_error(root: Path, path: str, message: str):
    (root / "empty").mkdir()
    with pytest.raises(FieldguideError, match=message):
        run(Namespace(path=[Path(path)]))


def test_a_missing_shard_is_named(root: Path, capsys: pytest.CaptureFixture[str]):
    (root / "interim/resize/val-00000.tar").unlink()
    with pytest.raises(FieldguideError, match="1 damaged or missing"):
        run(Namespace(path=[]))
    assert "interim/resize/val-00000.tar is missing; " in capsys.readouterr().out


def test_what_nothing_vouches_for_is_never_whole(root: Path, capsys: pytest.CaptureFixture[str]):
    Path("README.md").write_text("words")
    (root / "models/student/digests.json").unlink()
    Path("models/teacher").mkdir()
    Path("models/teacher/model.json").write_text("{}")
    for path in (Path("README.md"), Path("models/teacher/model.json")):
        with pytest.raises(FieldguideError):
            run(Namespace(path=[path]))
        assert "so nothing says what its bytes must be" in capsys.readouterr().out
    with pytest.raises(FieldguideError, match="so nothing says what its bytes must be"):
        run(Namespace(path=[Path("models/student")]))
    write_digests(Path("models/teacher"), "train-teacher")
    with pytest.raises(FieldguideError):
        run(Namespace(path=[Path("models")]))
    assert capsys.readouterr().out.splitlines()[:2] == [
        "models/teacher: whole",
        "models/student/model.safetensors: no digests.json speaks of it, so nothing says what its bytes must be",
    ]


def test_a_part_of_an_output_is_held_to_the_digests_above_it(root: Path, capsys: pytest.CaptureFixture[str]):
    run(Namespace(path=[root / "interim/tfrecord/labels.parquet"]))
    assert capsys.readouterr().out == "interim/tfrecord/labels.parquet: whole\n"


def test_folders_without_outputs_are_passed_over_if_none_is_named(root: Path, capsys: pytest.CaptureFixture[str]):
    shutil.rmtree("models")
    Path("models").mkdir()
    Path("models/README.md").write_text("words")
    run(Namespace(path=[]))
    assert capsys.readouterr().out.splitlines() == ["interim/resize: whole", "interim/tfrecord: whole"]
