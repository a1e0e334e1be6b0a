"""web/prior.js and web/exif.js: place and season as Python has them, and what cameras say of both."""

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fieldguide.evaluate.prior import Occasions, Prior, count_occasions
from fieldguide.evaluate.prior_file import write_prior
from fieldguide.export.node import WEB, run_node

LABELS = {"ranks": ["species", "genus"], "classes": {"species": list("abcdef"), "genus": ["other", "g"]}}
PLACES = [(48.2, 16.4, 5), (-33.9, 151.2, 12), (0.0, 179.9, 1), (None, None, 7), (90.0, 0.0, None), (None, None, None)]


def draw_prior(seed: int) -> Prior:
    draw = np.random.default_rng(seed)
    rows = np.column_stack([np.floor(draw.uniform(-70, 70, (400, 2))) + 0.5, draw.integers(1, 13, 400)])
    counted = count_occasions(draw.integers(0, 5, 400), Occasions(*rows.T), 6)
    return replace(counted, spread=float(draw.uniform(1, 30)), strength=float(draw.uniform(0.2, 2)))


@pytest.mark.parametrize("seed", range(4))
def test_the_page_shifts_logits_as_python_does(seed: int, tmp_path: Path) -> None:
    prior = draw_prior(seed)
    write_prior(prior, "species", tmp_path)
    logits = np.random.default_rng(seed).normal(size=8).tolist()
    asked = [{"latitude": lat, "longitude": lon, "month": month} for lat, lon, month in PLACES]
    script = tmp_path / "ask.mjs"
    script.write_text(
        f"import {{ inform, readPrior }} from {json.dumps((WEB / 'prior.js').as_uri())};\n"
        "import { readFileSync } from 'node:fs';\n"
        f"const read = (name) => readFileSync({json.dumps(str(tmp_path))} + '/' + name);\n"
        "const [header, bytes] = [read('prior.json'), read('prior.bin')];\n"
        "const prior = readPrior(JSON.parse(header), new Uint8Array(bytes).buffer);\n"
        f"const ask = (at) => inform({json.dumps(logits)}, {json.dumps(LABELS)}, {{ species: 1.5 }}, prior, at);\n"
        f"console.log(JSON.stringify({json.dumps(asked)}.map(ask)));\n"
    )
    found = np.array(json.loads(run_node(script)))
    at = Occasions(*np.array([[np.nan if each is None else each for each in row] for row in PLACES], float).T)
    expected = np.tile(logits, (len(PLACES), 1))
    expected[:, :6] += 1.5 * prior.log_factors(at)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert found[-1].tolist() == logits


def jpeg(gps: dict[int, Any] | None = None, taken: str | None = None, **options: Any) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 1
    exif[0x010F] = "A maker of cameras with a long name"
    if gps is not None:
        exif[0x8825] = gps
    if taken is not None:
        exif[0x8769] = {0x9003: taken, 0x9204: 0.5}
    stream = io.BytesIO()
    Image.new("RGB", (8, 8)).save(stream, "JPEG", exif=exif, **options)
    return stream.getvalue()


def png() -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (8, 8)).save(stream, "PNG")
    return stream.getvalue()


NORTH = {1: "N", 2: (48.0, 30.0, 36.0), 3: "E", 4: (16.0, 15.0, 0.0)}
NOTHING = {"latitude": None, "longitude": None, "month": None, "taken": None}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(
            jpeg(NORTH, "2021:05:12 10:00:00"),
            {"latitude": 48.51, "longitude": 16.25, "month": 5, "taken": "2021-05-12T10:00:00"},
            id="both",
        ),
        pytest.param(
            jpeg({**NORTH, 1: "S", 3: "W"}),
            {**NOTHING, "latitude": -48.51, "longitude": -16.25},
            id="south and west",
        ),
        pytest.param(
            jpeg(taken="2021:11:02 10:00:00"),
            {**NOTHING, "month": 11, "taken": "2021-11-02T10:00:00"},
            id="only the date",
        ),
        pytest.param(jpeg(taken="0000:00:00 00:00:00"), NOTHING, id="a clock that was never set"),
        pytest.param(
            jpeg({**NORTH, 2: (0.0, 0.0, 0.0), 4: (0.0, 0.0, 0.0)}), NOTHING, id="a receiver that found nothing"
        ),
        pytest.param(jpeg({**NORTH, 2: (148.0, 0.0, 0.0)}), NOTHING, id="no such latitude"),
        pytest.param(jpeg({1: "N", 2: (48.0, 30.0, 36.0)}), NOTHING, id="half a place"),
        pytest.param(jpeg(), NOTHING, id="no such tags"),
        pytest.param(png(), NOTHING, id="no JPEG"),
        pytest.param(jpeg(NORTH)[:60], NOTHING, id="cut off amid its tags"),
        pytest.param(b"", NOTHING, id="empty"),
        pytest.param(b"\xff\xd8\xff\xe1\x00\x00Exif\x00\x00MM\x00*\xff\xff\xff\xff" + bytes(40), NOTHING, id="astray"),
    ],
)
def test_what_a_camera_says_is_understood(content: bytes, expected: dict[str, Any], tmp_path: Path) -> None:
    script = tmp_path / "ask.mjs"
    script.write_text(
        f"import {{ readOccasion }} from {json.dumps((WEB / 'exif.js').as_uri())};\n"
        f"console.log(JSON.stringify(await readOccasion(new Blob([new Uint8Array({list(content)})]))));\n"
    )
    found = json.loads(run_node(script))
    assert found == pytest.approx(expected, abs=1e-6)
