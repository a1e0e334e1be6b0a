"""Files are whole or absent; digests name content."""

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldguide.files import file_sha256, remove_partials, salted_unit, salted_units, write_json, written_whole


def test_a_file_appears_when_it_is_whole(tmp_path: Path):
    target = tmp_path / "new" / "file.bin"
    with written_whole(target) as temporary:
        temporary.write_bytes(b"whole")
        assert not target.exists()
    assert target.read_bytes() == b"whole"
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize("name", ["Isoëtes × 雛菊 🌼", "\x1b[31m\x00\x7f", "\u202e\u200b\U000e0001\u2028", "a\nb"])
def test_json_says_all_and_acts_on_no_screen(name: str, tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"a": [name]})
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert text.replace("\n", "").isprintable()
    assert json.loads(text) == {"a": [name]}
    assert (name in text) is name.isprintable()


def test_a_failure_leaves_what_was_there(tmp_path: Path):
    target = tmp_path / "file.bin"
    target.write_bytes(b"before")
    with pytest.raises(IsADirectoryError), written_whole(target) as temporary:
        temporary.write_bytes(b"half")
        tmp_path.read_bytes()
    assert target.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [target]


def test_what_a_killed_run_left_is_removed(tmp_path: Path):
    kept = tmp_path / "deep" / "file.bin"
    kept.parent.mkdir()
    kept.write_bytes(b"")
    (kept.parent / ".file.bin.123.partial").write_bytes(b"half")
    remove_partials(tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [kept]


def test_json_keeps_the_order_of_keys_and_every_letter(tmp_path: Path):
    file = tmp_path / "names.json"
    write_json(file, {"z": "Gänseblümchen", "a": [1, None]})
    assert file.read_text(encoding="utf-8") == '{\n  "z": "Gänseblümchen",\n  "a": [\n    1,\n    null\n  ]\n}\n'
    assert json.loads(file.read_bytes()) == {"z": "Gänseblümchen", "a": [1, None]}


def test_the_digest_is_sha256(tmp_path: Path):
    file = tmp_path / "file.bin"
    file.write_bytes(b"bytes")
    assert file_sha256(file) == hashlib.sha256(b"bytes").hexdigest()


@given(st.text(), st.text())
def test_a_salted_unit_is_a_number_below_one(salt: str, key: str):
    assert 0 <= salted_unit(salt, key) < 1
    assert salted_unit(salt, key) == salted_unit(salt, key)


def test_salted_units_are_uniform_and_differ_by_salt():
    units = [salted_unit("salt", str(number)) for number in range(10_000)]
    tenths = [sum(int(unit * 10) == tenth for unit in units) for tenth in range(10)]
    assert max(tenths) - min(tenths) < 250
    assert units[:100] != [salted_unit("pepper", str(number)) for number in range(100)]


def test_many_units_are_those_of_each():
    keys = ["", "a", "Ästchen", "observation_id=17"]
    assert salted_units("salt", keys).tolist() == [salted_unit("salt", key) for key in keys]
    assert salted_units("salt", []).tolist() == []
