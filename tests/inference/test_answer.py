"""What is said of photos in names: that which a third, slow program worked out."""

import json
from typing import Any

import numpy as np
import pytest

from fieldguide.evaluate.rules import Situation
from fieldguide.evaluate.tree import fuse
from fieldguide.export.model_files import Calibration, Labels
from fieldguide.inference.answer import conclude_answers
from tests.web.specification import DRAWN, rule_of


def drawn_guides() -> list[dict[str, Any]]:
    guides: list[dict[str, Any]] = json.loads(DRAWN.read_text())
    return guides


@pytest.mark.parametrize("guide", drawn_guides())
def test_a_guide_says_what_was_worked_out_slowly(guide: dict[str, Any]) -> None:
    labels = Labels.model_validate(guide["labels"])
    calibrations = [Calibration.model_validate(each) for each in guide["calibrations"]]
    for case in guide["cases"]:
        calibration, photos = calibrations[case["calibration"]], np.array([case["photos"]], np.float32)
        situation = Situation.of(photos.shape[1], case["placed"], calibration.most_photos)
        fused = fuse(photos, calibration.fusion_exponent)
        measured = None if None in case["familiarity"] else np.mean([case["familiarity"]], axis=1, dtype=np.float32)
        [answer] = conclude_answers(fused, labels, calibration, 1, situation, measured)
        said = [str(answer.verdict), answer.taxon.rank, answer.taxon.name, answer.num_likely or 0]
        assert said == case["said"]
        is_measured = rule_of(guide["labels"], case, guide["calibrations"][case["calibration"]])["num_chosen_by"] > 0
        assert answer.max_error == (calibration.max_error if is_measured else None)
