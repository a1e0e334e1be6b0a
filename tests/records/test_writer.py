"""The finished folder against TensorFlow's reader, other worker counts, kills and damaged input."""

import hashlib
import io
import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from fieldguide.engine import run_isolated
from fieldguide.errors import RecordError
from fieldguide.files import salted_unit
from fieldguide.records.example import parse_example, unframe
from fieldguide.records.features import feature_specs
from fieldguide.records.manifest import LABELS, Manifest, ShardEntry, SquareManifest, index_path, read_index
from fieldguide.records.manifest import TAXONOMY as TAXONOMY_FILE
from fieldguide.records.reader import RecordSet
from fieldguide.records.writer import write_records
from fieldguide.tar import TarShardWriter
from tests.records.making import ENGINE, SIDE, STYLE, TAXONOMY, make_photo, make_resized
from tests.records.tensorflow_side import error_messages, read_with_tensorflow, write_with_tensorflow


def digests(directory: Path) -> dict[str, str]:
    """SHA-256 of every file below `directory`, hidden ones too."""
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.slow
def test_tensorflow_reads_the_same_records(finished: Path):
    seen = run_isolated(read_with_tensorflow, finished, ["train", "val", "test"])
    for split, examples in seen.items():
        records = RecordSet.open(finished, split)
        assert len(examples) == len(records)
        for example, record in zip(examples, records, strict=True):
            assert example["image/encoded"] == record.image
            assert example["image/filename"].decode() == f"{record.photo_id}.jpg"
            assert example["image/key/sha256"].decode() == hashlib.sha256(record.image).hexdigest()
            assert example["image/format"] == b"jpeg"
            assert example["image/height"] == example["image/width"] == SIDE
            assert example["decoded_shape"] == (SIDE, SIDE, 3)
            assert example["image/box"].tolist() == list(record.box)
            assert (example["image/region"].decode() or None) == record.region
            assert example["image/class/label"] == record.labels["species"]
            for rank, label in record.labels.items():
                assert example[f"image/class/{rank}/label"] == label
                assert example[f"image/class/{rank}/text"].decode() == TAXONOMY.classes[rank][label]


@pytest.mark.slow
def test_reads_what_tensorflow_writes(tmp_path: Path):
    rows = [
        {"a": [b"", b"\xff\x00"], "b": [-(2**63), -1, 0, 2**63 - 1], "c": [0.5, -2.0], "ä": []},
        {},
        {"long": [bytes(range(256)) * 300]},
    ]
    shard = tmp_path / "foreign.tfrecord"
    run_isolated(write_with_tensorflow, shard, rows)
    content, read, position = memoryview(shard.read_bytes()), [], 0
    while position < len(content):
        end = position + 16 + int.from_bytes(content[position : position + 8], "little")
        read.append(parse_example(unframe(content[position:end])))
        position = end
    assert read == rows


def test_manifest_tells_the_truth(finished: Path):
    manifest = Manifest.read(finished)
    assert manifest.style == STYLE
    for name in (LABELS, TAXONOMY_FILE):
        assert manifest.tables[name] == hashlib.sha256((finished / name).read_bytes()).hexdigest()
    assert manifest.features == feature_specs(TAXONOMY)
    named = {entry.file: entry for split in manifest.splits.values() for entry in split.shards}
    assert sorted(named) == sorted(path.name for path in finished.glob("*.tfrecord"))
    assert [entry.num_records for entry in manifest.splits["train"].shards] == [16, 16, 8]
    for file, entry in named.items():
        content = (finished / file).read_bytes()
        assert entry.num_bytes == len(content)
        assert entry.sha256 == hashlib.sha256(content).hexdigest()


def test_index_is_what_dali_writes(finished: Path):
    """NVIDIA's tfrecord2idx walks the shard: 8 bytes of length, 4 of crc, the payload, 4 of crc."""
    for shard in finished.glob("*.tfrecord"):
        lines, position, content = [], 0, shard.read_bytes()
        while position < len(content):
            length = int.from_bytes(content[position : position + 8], "little") + 16
            lines.append(f"{position} {length}\n")
            position += length
        assert index_path(shard).read_text() == "".join(lines)


@pytest.mark.slow
def test_splits_that_only_some_sets_have_are_written_too(tmp_path: Path):
    resized = make_resized(tmp_path / "resize", {"train": 3, "unseen": 2})
    out = tmp_path / "out"
    manifest = run_isolated(write_records, resized, TAXONOMY, out, records_per_shard=16, salt="salt", engine=ENGINE)
    assert {name: split.num_records for name, split in manifest.splits.items()} == {
        "train": 3,
        "val": 0,
        "test": 0,
        "unseen": 2,
    }


def test_order_is_that_of_the_salted_hash(finished: Path):
    photo_ids = RecordSet.open(finished, "train").photo_ids
    assert photo_ids == sorted(photo_ids, key=lambda photo_id: salted_unit("salt", photo_id))


PROGRAM = """
import sys
from pathlib import Path
from fieldguide.engine import EngineParams
from fieldguide.records.writer import write_records
from tests.records.making import TAXONOMY
engine = EngineParams(backend="loky", workers=int(sys.argv[3]))
write_records(Path(sys.argv[1]), TAXONOMY, Path(sys.argv[2]), records_per_shard=16, salt="salt", engine=engine)
"""


def start_writing(resized: Path, out: Path, workers: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", PROGRAM, resized, out, str(workers)])


@pytest.mark.slow
def test_workers_do_not_change_a_byte(resized: Path, finished: Path, tmp_path: Path):
    assert start_writing(resized, tmp_path, workers=2).wait() == 0
    assert digests(tmp_path) == digests(finished)


@pytest.mark.slow
def test_kill_and_rerun_give_the_same_bytes(resized: Path, finished: Path, tmp_path: Path):
    process = start_writing(resized, tmp_path, workers=1)
    while not any(tmp_path.glob("*.tfrecord")) and process.poll() is None:
        time.sleep(0.001)
    process.kill()
    process.wait()
    with pytest.raises(RecordError, match=r"manifest\.json is missing"):
        RecordSet.open(tmp_path, "train")
    # What kills at other moments and runs with other params leave behind.
    (tmp_path / ".train-00001-of-00003.tfrecord.77.partial").write_bytes(b"half")
    (tmp_path / "train-00000-of-00009.tfrecord").write_bytes(b"old")
    assert start_writing(resized, tmp_path, workers=1).wait() == 0
    assert digests(tmp_path) == digests(finished)


def jpeg(size: tuple[int, int]) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", size).save(stream, "JPEG")
    return stream.getvalue()


@pytest.mark.slow
def test_damaged_input_is_named(tmp_path: Path):
    photo_id, image, description = make_photo(0)
    named = {"jpg": f"{photo_id}.jpg", "json": f"{photo_id}.json"}
    text = json.dumps(description).encode()
    cases: list[tuple[list[tuple[str, bytes]], str]] = [
        ([], "holds no photos; expected some in train"),
        ([(named["jpg"], image)], "has jpg; expected a 16-digit id with json and one of jpg, webp, png"),
        ([("short.jpg", image), ("short.json", text)], "sample 'short' has jpg, json; expected a 16-digit id"),
        ([(named["jpg"], image), (named["json"], b"{}")], f"{photo_id}.json: Field required"),
        ([(named["jpg"], b"<html>"), (named["json"], text)], f"{photo_id}.jpg is not a JPEG: "),
        ([(named["jpg"], jpeg((8, 9))), (named["json"], text)], f"{photo_id}.jpg is 8 x 9 px; expected 32 x 32 px"),
        ([(named["jpg"], image), (named["json"], text)] * 2, f"photo {photo_id} is in the tars twice"),
        ([("0" * 16 + ".jpg", image), ("0" * 16 + ".json", text)], f"describes photo '{photo_id}'"),
        (
            [(named["jpg"], image), (named["json"], text.replace(b'"other"', b'"Viola odorata"'))],
            "species 'Viola odorata' is not a class of the taxonomy, which has 5",
        ),
        (
            [
                (named["jpg"], image),
                (named["json"], text),
                ("0" * 16 + ".jpg", jpeg((8, 8))),
                ("0" * 16 + ".json", text.replace(photo_id.encode(), b"0" * 16)),
            ],
            f"{'0' * 16}.jpg is 8 x 8 px; expected 32 x 32 px",
        ),
    ]
    directories = []
    for number, (members, _) in enumerate(cases):
        directories.append(tmp_path / str(number))
        with TarShardWriter(directories[-1] / "train-00000.tar") as tar:
            for name, content in members:
                tar.add(name, content)
        SquareManifest(style=STYLE, num_photos={"train-00000.tar": len(members) // 2}).write(directories[-1])
    messages = run_isolated(error_messages, directories, tmp_path / "out")
    for (_, expected), message in zip(cases, messages, strict=True):
        assert message.startswith("RecordError: ")
        assert re.search(expected, message), message
        assert "\n" not in message
    assert not (tmp_path / "out/manifest.json").exists()


def test_index_of_an_empty_shard(tmp_path: Path):
    (tmp_path / "a.tfrecord.index").write_text("")
    entry = ShardEntry(file="a.tfrecord", num_records=0, num_bytes=0, sha256="")
    assert read_index(tmp_path / "a.tfrecord", entry).shape == (0, 2)
