"""What a survey may have found, made up."""

from collections import Counter
from pathlib import Path
from typing import Any

from fieldguide.catalogue.splits import Split
from fieldguide.survey.headers import Headers
from fieldguide.survey.machine import Machine
from fieldguide.survey.sources import FoundSource
from fieldguide.survey.tally import Tally
from fieldguide.survey.weights import Pretrained

TWO_CORES = Machine(cores=2, memory_gb=8.0)
FOLDERS = {"flora": FoundSource({"kind": "folders", "roots": ["data"], "pattern": None}, "paths", has_split=False)}


def tally(counts: dict[str, int] | None = None, **values: Any) -> Tally:
    """Of photos on this machine without a licence."""
    labels = Counter({"Aster": 80, "Bellis": 60} if counts is None else counts)
    num = labels.total()
    usual = {"num_rows": num, "labels": labels, "licences": Counter({"unknown": num}), "hosts": Counter({"": num})}
    return Tally(**{**usual, **values})


def given(train: int, val: int, test: int) -> Counter[Split]:
    return Counter({Split.TRAIN: train, Split.VAL: val, Split.TEST: test})


def headers(short: int = 300, num: int = 20, **values: Any) -> Headers:
    usual = {"shorter_sides": [short] * num, "longer_sides": [2 * short] * num, "num_bytes": [9000] * num}
    return Headers(**{**usual, **values})


def pretrained(architecture: str, num_parameters: int, image_size: int = 224, **args: Any) -> Pretrained:
    path = Path(f"/weights/{architecture}.pth")
    half = (0.5, 0.5, 0.5)
    return Pretrained(path, "0" * 64, architecture, args, image_size, half, half, num_parameters)


VIT = pretrained("vit_tiny_patch16_224", 5_500_000)
MOBILENET = pretrained("mobilenetv2_100", 2_200_000, pad_type="same")
