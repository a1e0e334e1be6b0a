"""web/familiar.js: how familiar photos look, as Python has it."""

import json
from pathlib import Path

import numpy as np
import pytest

from fieldguide.errors import ExportError
from fieldguide.evaluate.familiar import Familiar, write_familiar
from fieldguide.export.node import WEB, run_node

SCRIPT = """
import {{ measureFamiliarity, readFamiliar }} from {module};
import {{ readFileSync }} from 'node:fs';
const read = (name) => readFileSync({folder} + '/' + name);
const familiar = readFamiliar(JSON.parse(read('familiar.json')), new Uint8Array(read('familiar.bin')).buffer);
console.log(JSON.stringify({photos}.map(([seen, logits]) => measureFamiliarity(familiar, seen, logits))));
"""


def measure(folder: Path, prelogits: np.ndarray, logits: np.ndarray) -> list[float]:
    script = folder / "ask.mjs"
    module, at = json.dumps((WEB / "familiar.js").as_uri()), json.dumps(str(folder))
    photos = json.dumps([*zip(prelogits.tolist(), logits.tolist(), strict=True)])
    script.write_text(SCRIPT.format(module=module, folder=at, photos=photos))
    found: list[float] = json.loads(run_node(script))
    return found


@pytest.mark.parametrize(("num", "dim"), [(200, 1280), (3, 40), (1, 8)])
def test_the_page_measures_as_python_does(num: int, dim: int, tmp_path: Path) -> None:
    draw = np.random.default_rng(num)
    familiar = Familiar.of(*(draw.normal(1, 2, (num, each)).astype(np.float32) for each in (dim, 7)))
    write_familiar(familiar, tmp_path, "pool")
    asked = [draw.normal(1, 3, (6, each)).astype(np.float32) for each in (dim, 9)]
    np.testing.assert_allclose(measure(tmp_path, *asked), familiar.measure(*asked), rtol=1e-5, atol=1e-4)


def test_files_of_two_exports_are_refused(tmp_path: Path) -> None:
    write_familiar(Familiar.of(np.eye(9, dtype=np.float32), np.eye(9)), tmp_path, "pool")
    (tmp_path / "familiar.bin").write_bytes(b"short")
    with pytest.raises(ExportError, match=r"familiar\.bin is of another familiar\.json"):
        measure(tmp_path, np.zeros((1, 9)), np.zeros((1, 9)))
