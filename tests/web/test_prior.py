"""web/prior.js: place and season as Python has them."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fieldguide.evaluate.prior import Occasions, Prior, count_occasions
from fieldguide.evaluate.prior_file import write_prior
from fieldguide.evaluate.tree import inform
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
    expected[:, :6] = inform(expected[:, :6], prior.log_factors(at), 1.5)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert found[-1].tolist() == logits
