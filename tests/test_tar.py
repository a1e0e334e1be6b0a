"""Tar shards against Python's tarfile and the webdataset package, and against damage."""

import io
import tarfile
from pathlib import Path

import pytest
import webdataset
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fieldguide.errors import RecordError
from fieldguide.tar import (
    BLOCK,
    HEADERS_AT_ONCE,
    SIZE,
    Member,
    TarShardWriter,
    group_samples,
    iterate_members,
    list_members,
    read_samples,
)

FILES = {"a1.jpg": b"\xff\xd8" * 300, "a1.json": b"{}", "b2.jpg": b"", "b2.json": b'{"x": 1}'}


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    path = tmp_path / "train-00000.tar"
    with TarShardWriter(path) as tar:
        for name, content in FILES.items():
            tar.add(name, content)
    return path


def test_offsets_point_at_the_bytes(tmp_path: Path):
    with TarShardWriter(tmp_path / "x.tar") as tar:
        members = [tar.add(name, content) for name, content in FILES.items()]
    content = (tmp_path / "x.tar").read_bytes()
    assert {member.name: content[member.offset : member.offset + member.size] for member in members} == FILES
    assert list(iterate_members(tmp_path / "x.tar")) == members


def test_any_number_of_members_from_any_program_comes_in_order(tmp_path: Path):
    names = [f"{number}.txt" for number in range(2 * HEADERS_AT_ONCE + 3)]
    # Headers that are not plain: long names, letters beyond ASCII, sizes with a blank.
    names[5], names[HEADERS_AT_ONCE], names[-1] = "d" * 90 + "/" + "n" * 90, "ä.txt", "é.txt"
    with TarShardWriter(tmp_path / "x.tar") as tar:
        members = [tar.add(name, name.encode()) for name in names]
    content = bytearray((tmp_path / "x.tar").read_bytes())
    header = members[7].offset - BLOCK
    content[header + SIZE.start : header + SIZE.stop] = b"         5 "
    content[header + 148 : header + 156] = b"%06o\0 " % tarfile.calc_chksums(bytes(content[header : header + BLOCK]))[0]
    (tmp_path / "x.tar").write_bytes(content)
    assert list(iterate_members(tmp_path / "x.tar")) == members
    portions = list(list_members(tmp_path / "x.tar"))
    assert max(len(portion.names) for portion in portions) == HEADERS_AT_ONCE
    assert [member for portion in portions for member in portion.each()] == members


def test_python_reads_it_and_finds_nothing_that_varies(shard: Path):
    with tarfile.open(shard) as archive:
        for member in archive:
            assert (member.mtime, member.uid, member.gid, member.mode) == (0, 0, 0, 0o644)
            stream = archive.extractfile(member)
            assert stream is not None
            assert stream.read() == FILES[member.name]


# webdataset leaves its stream to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_webdataset_reads_the_same_samples(shard: Path):
    dataset = webdataset.WebDataset(str(shard), shardshuffle=False, empty_check=False)
    theirs = {row["__key__"]: {k: v for k, v in row.items() if not k.startswith("__")} for row in dataset}
    assert theirs == dict(read_samples(shard))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(
        st.tuples(st.text("abc/äé.", min_size=1, max_size=20), st.binary(max_size=1500)), unique_by=lambda file: file[0]
    )
)
def test_round_trip(tmp_path: Path, files: list[tuple[str, bytes]]):
    # tarfile drops a trailing slash, which marks a directory.
    files = [(f"{name}x", content) for name, content in files]
    path = tmp_path / "round.tar"
    with TarShardWriter(path) as tar:
        for name, content in files:
            tar.add(name, content)
    content = path.read_bytes()
    read = [(member.name, content[member.offset : member.offset + member.size]) for member in iterate_members(path)]
    assert read == files


def test_samples_are_neighbours_with_one_key():
    names = ["a.jpg", "a.json", "d.e/b.seg.png", "d.e/b.jpg", "a.txt", "a.txt"]
    grouped = group_samples(Member(name, 0, 0) for name in names)
    assert [(key, list(sample)) for key, sample in grouped] == [
        ("a", ["jpg", "json"]),
        ("d.e/b", ["seg.png", "jpg"]),
        ("a", ["txt"]),
        ("a", ["txt"]),
    ]


def fail_while_writing(path: Path) -> None:
    with TarShardWriter(path) as tar:
        tar.add("a.jpg", b"photo")
        raise ValueError("on purpose")


def test_a_failed_writer_leaves_nothing(tmp_path: Path):
    with pytest.raises(ValueError, match="on purpose"):
        fail_while_writing(tmp_path / "x.tar")
    assert list(tmp_path.iterdir()) == []


def foreign_tar(path: Path, kind: bytes) -> None:
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as archive:
        header = tarfile.TarInfo("link.jpg")
        header.type = kind
        header.linkname = "/etc/passwd"
        archive.addfile(header, io.BytesIO())


@pytest.mark.parametrize(
    "kind",
    [
        tarfile.SYMTYPE,
        tarfile.LNKTYPE,
        tarfile.DIRTYPE,
        tarfile.CHRTYPE,
        tarfile.FIFOTYPE,
        tarfile.GNUTYPE_SPARSE,
        tarfile.CONTTYPE,
    ],
)
def test_only_regular_files_are_read(tmp_path: Path, kind: bytes):
    foreign_tar(tmp_path / "x.tar", kind)
    with pytest.raises(RecordError, match=r"x\.tar at byte 0: 'link\.jpg' is not a regular file"):
        list(iterate_members(tmp_path / "x.tar"))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda content: content[:700], r"at byte 0: 'a1\.jpg' claims 600 bytes, the file ends at 700"),
        (lambda content: content[:1536], r"at byte 1536: not a tar header \(empty header\)"),
        (lambda content: content[:1540] + b"!" + content[1541:], r"at byte 1536: not a tar header \(bad checksum\)"),
        (lambda content: b"", r"at byte 0: not a tar header \(empty header\)"),
    ],
)
def test_damage_is_named_with_file_and_offset(shard: Path, damage, message: str):
    shard.write_bytes(damage(shard.read_bytes()))
    with pytest.raises(RecordError, match=message):
        list(iterate_members(shard))
