"""Texts are cut behind their ids, whoever laid them out; what is none, or another's, is named."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fieldguide.errors import RecordError
from fieldguide.records.descriptions import parse_texts, split_texts
from fieldguide.records.features import Description
from fieldguide.records.gather import Gathered
from fieldguide.records.places import PLACE
from tests.records.making import make_photo

DESCRIBED = [make_photo(number)[2] for number in range(4)]


def gathered(texts: list[bytes], described: list[dict[str, Any]] = DESCRIBED) -> Gathered:
    places = np.zeros(len(texts), PLACE)
    places["photo_id"] = [str(each["photo_id"]).encode() for each in described[: len(texts)]]
    return Gathered(places, [Path("x.tar")], [b""] * len(texts), texts)


@pytest.mark.parametrize(
    "lay_out",
    [
        json.dumps,
        lambda facts: json.dumps(facts, separators=(",", ":")),
        lambda facts: json.dumps(facts, indent=1),
        lambda facts: json.dumps(dict(reversed(facts.items()))),
    ],
)
def test_every_layout_says_the_same(lay_out) -> None:
    photos = gathered([lay_out(facts).encode() for facts in DESCRIBED])
    digests, rests = split_texts(photos)
    assert digests == b"".join(bytes.fromhex(str(facts["sha256"])) for facts in DESCRIBED)
    assert len(rests) == len(DESCRIBED)
    assert not any(str(facts["photo_id"]).encode() in rest for facts, rest in zip(DESCRIBED, rests, strict=True))
    assert parse_texts(photos, range(4)) == [Description.model_validate(facts) for facts in DESCRIBED]


def test_photos_with_equal_facts_have_equal_rests() -> None:
    other = DESCRIBED[0] | {"photo_id": "f" * 16, "sha256": "0" * 64}
    described = [DESCRIBED[0], other]
    _, rests = split_texts(gathered([json.dumps(facts).encode() for facts in described], described))
    assert rests[0] == rests[1]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"photo_id": "f" * 16}, "describes photo 'ffffffffffffffff'"),
        ({"photo_id": "short"}, "describes photo 'short'"),
        ({"photo_id": "é" * 16}, "describes photo 'éééééééééééééééé'"),
        ({"sha256": "0" * 63}, f": sha256 '{'0' * 63}'; expected 64 hexadecimal digits"),
        ({"sha256": "g" + "0" * 63}, f": sha256 'g{'0' * 63}'; expected 64 hexadecimal digits"),
        ({"sha256": " " * 64}, f": sha256 '{' ' * 64}'; expected 64 hexadecimal digits"),
        ({"sha256": "é" * 64}, f": sha256 '{'é' * 64}'; expected 64 hexadecimal digits"),
        ({"sha256": None}, ": Input should be a valid string"),
    ],
)
def test_wrong_ids_are_named(changes: dict[str, Any], message: str) -> None:
    texts = [json.dumps(facts).encode() for facts in (DESCRIBED[0], DESCRIBED[1] | changes)]
    with pytest.raises(RecordError, match=f"^x.tar: {DESCRIBED[1]['photo_id']}.json ?{re.escape(message)}"):
        split_texts(gathered(texts))


@pytest.mark.parametrize("text", [b"", b"{}", b"<html>", json.dumps(DESCRIBED[1] | {"more": 1}).encode()])
def test_what_is_no_description_is_named(text: bytes) -> None:
    photos = gathered([json.dumps(DESCRIBED[0]).encode(), text])
    with pytest.raises(RecordError, match=rf"^x\.tar: {DESCRIBED[1]['photo_id']}\.json: "):
        parse_texts(photos, range(2))
