"""Forty params files that mean harm or are merely broken: each is refused on one line, and nothing is carried out."""

import random
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from fieldguide.errors import ParamsError
from fieldguide.params import read_params
from fieldguide.presets import expand, load_overlay, set_values
from fieldguide.sections import check_params

LONGEST_LINE = 2_000

TEXTS = {
    "an empty file": ("", "expected one section per stage"),
    "nothing but a comment": ("# nothing\n", "expected one section per stage"),
    "a list": ("- fetch\n- clean\n", "holds a list"),
    "a number": ("7\n", "holds a int"),
    "an unclosed mapping": ("fetch: {sources: {", "is not valid YAML"),
    "tabs": ("fetch:\n\tsources: {}\n", "is not valid YAML"),
    "a Python object": ("fetch: !!python/object/apply:os.system ['touch harmed']\n", "is not valid YAML"),
    "a Python name": ("fetch: !!python/name:os.system\n", "is not valid YAML"),
    "an unknown tag": ("fetch: !Ref sources\n", "is not valid YAML"),
    "an anchor": ("fetch: &a {}\nclean: *a\n", "anchor or alias 'a'"),
    "a merge": ("fetch: &a {}\nclean: {<<: *a}\n", "anchor or alias 'a'"),
    "a billion laughs": ("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", "anchor or alias 'a'"),
    "a key given twice": ("fetch: {}\nfetch: {}\n", "is not valid YAML"),
    "two documents": ("fetch: {}\n---\nclean: {}\n", "is not valid YAML"),
    "a NUL": ("fetch: {sources: \x00}\n", "is not valid YAML"),
    "ten thousand brackets": ("fetch: " + "[" * 10_000, "nested too deep"),
    "a number of 5,000 digits": ("fetch: {max_redirects: " + "9" * 5_000 + "}\n", "is not valid YAML"),
    "a sexagesimal bomb": ("fetch: " + "9:" * 3_000 + "9\n", "key 'fetch'"),
    "a section too many": ("harm: {}\n", "section 'harm' is unknown"),
}
"""What the whole file says, and a part of the refusal."""

VALUES: dict[str, tuple[str, Any, str]] = {
    "shell in a teacher's name": ("train_teacher", {"$(touch harmed)": {}}, "a name is|key 'train_teacher"),
    "shell in a source's name": ("fetch.sources", {"`touch harmed`": {}}, "a name is|key 'fetch.sources"),
    "a way out in a teacher's name": ("train_teacher", {"../../etc": {}}, "a name is|key 'train_teacher"),
    "a class that runs commands": (
        "train_teacher.global.transforms",
        [{"_target_": "timm.data.readers.reader_wds.ReaderWds", "root": "pipe:touch harmed"}],
        "is not allowed",
    ),
    "os.system": ("train_teacher.global.transforms", [{"_target_": "os.system", "command": "touch harmed"}], "allowed"),
    "a class within a class": (
        "train_teacher.global.transforms",
        [{"_target_": "torchvision.transforms.v2.RandomApply", "transforms": [{"_target_": "builtins.eval"}]}],
        "is not allowed",
    ),
    "a lambda": (
        "train_teacher.global.transforms",
        [{"_target_": "torchvision.transforms.v2.Lambda", "lambd": "print"}],
        "is not allowed",
    ),
    "a partial": (
        "train_teacher.global.transforms",
        [{"_target_": "torchvision.transforms.v2.RandomCrop", "_partial_": True}],
        "_partial_",
    ),
    "a template": ("split.salt", "${oc.env:HOME}", r"holds '\$\{'"),
    "a template that makes an object": ("split.salt", "${oc.create:{_target_: os.system}}", r"holds '\$\{'"),
    "a template in a list": ("fetch.retry_failed", ["${oc.env:HOME}"], "retry_failed"),
    "a password": (
        "fetch.sources.flora",
        {"kind": "sql", "url": "postgresql://me:hunter2@host/db"},
        "password|fetch.sources",
    ),
    "not a number": ("split.ratios.train", float("nan"), "split.ratios"),
    "infinity": ("fetch.total_timeout_s", float("inf"), "total_timeout_s"),
    "less than nothing": ("clean.min_side", -1, "clean.min_side"),
    "a thousand digits": ("resize.size", 10**1000, "resize.size"),
    "text for a number": ("resize.size", "224; rm -rf /", "resize.size"),
    "a number for a text": ("split.salt", [1, 2], "split.salt"),
    "no photos a shard": ("fetch.photos_per_shard", 0, "photos_per_shard"),
    "no epochs": ("distill_student.epochs", 0, "epochs"),
    "a network of 10**9 pixels": ("train_teacher.global.image_size", 10**9, "image_size"),
    "a teacher that is not trained": ("distill_student.teachers", {"nobody": 1.0}, "distill_student.teachers"),
    "a scheduler that is none": ("fetch.engine.backend", "ftp://host", "engine"),
    "megabytes of text": ("resize.method", "x" * 10**6, "resize.method"),
    "terminal escapes": ("resize.method", "\x1b]0;harmed\x07\x1b[2J", "resize.method"),
    "a right-to-left override": ("resize.method", "\u202egnp.exe", "resize.method"),
}
"""The key that is changed in the sample's file, its value, and a part of the refusal (a regular expression)."""


SAMPLE = expand(load_overlay("sample"))


def sample() -> dict[str, Any]:
    return deepcopy(SAMPLE)


def replace(params: dict[str, Any], key: str, value: Any) -> None:
    *way, last = key.split(".")
    for part in way:
        params = params[part]
    params[last] = value


def assert_is_one_plain_line(text: str) -> None:
    assert text.isprintable()
    assert len(text) <= LONGEST_LINE


@pytest.mark.parametrize(("text", "message"), TEXTS.values(), ids=TEXTS)
def test_a_file_that_is_no_params_file_is_refused(text: str, message: str, tmp_path: Path, monkeypatch: Any):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "params.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ParamsError) as caught:
        check_params(read_params(file))
    assert message in str(caught.value)
    assert_is_one_plain_line(str(caught.value))
    assert [entry.name for entry in tmp_path.iterdir()] == ["params.yaml"]


@pytest.mark.parametrize("content", [b"fetch: \xff\xfe\n", b"\xff\xfef\x00e\x00", b"\x1f\x8b\x08\x00" + bytes(20)])
def test_bytes_that_are_no_text_are_refused(content: bytes, tmp_path: Path):
    file = tmp_path / "params.yaml"
    file.write_bytes(content)
    with pytest.raises(ParamsError, match=r"params\.yaml"):
        check_params(read_params(file))


@pytest.mark.parametrize(("key", "value", "message"), VALUES.values(), ids=VALUES)
def test_a_hostile_value_is_refused_by_the_name_of_its_key(
    key: str, value: Any, message: str, tmp_path: Path, monkeypatch: Any
):
    monkeypatch.chdir(tmp_path)
    params = sample()
    replace(params, key, value)
    with pytest.raises(ParamsError, match=message) as caught:
        check_params(params)
    assert_is_one_plain_line(str(caught.value))
    assert not list(tmp_path.iterdir())


def leaves(content: Any, key: str = "") -> Iterator[str]:
    for name, value in content.items():
        path = f"{key}.{name}" if key else str(name)
        if isinstance(value, dict) and value:
            yield from leaves(value, path)
        else:
            yield path


def test_any_leaf_takes_any_value_or_refuses_it_on_one_line():
    """Every leaf of the sample's file gets two values out of a bag, drawn by a seeded generator."""
    draw = random.Random(20261126)
    bag = [
        None,
        True,
        -1,
        0,
        10**400,
        float("nan"),
        "",
        "\x00",
        "$(reboot)",
        "../..",
        [],
        [[]],
        {},
        {"": {}},
        "é" * 9999,
    ]
    for key in leaves(sample()):
        for value in draw.sample(bag, 2):
            params = sample()
            replace(params, key, value)
            try:
                check_params(params)
            except ParamsError as error:
                assert_is_one_plain_line(str(error))


def test_an_override_of_dvc_s_kind_cannot_bring_in_a_template():
    params = sample()
    set_values(params, ["split.salt=${oc.env:HOME}"])
    with pytest.raises(ParamsError, match=r"holds '\$\{'"):
        check_params(params)
