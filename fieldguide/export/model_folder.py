"""What makes a trained network a model that answers: its files, and those that say what its outputs mean."""

import json
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path

from fieldguide.catalogue.taxonomy import Taxonomy
from fieldguide.evaluate.familiar import read_familiar, write_familiar
from fieldguide.export.model_files import Calibration, Labels, Preprocessing
from fieldguide.export.student import Evaluation, read_evaluation
from fieldguide.files import file_sha256, write_json, written_whole
from fieldguide.learn.description import BEST_FILE, SPEC_FILE, NetworkSpec
from fieldguide.records.manifest import SquareStyle

DESCRIPTIONS = Path("reports") / "evaluate" / "models"
"""Where, in a repository, the evaluation describes the networks that it saw: a folder of files for each."""
PRIOR_FILES = ("prior.json", "prior.bin")
"""Place and season (evaluate/prior_file.py)."""
MIX_UPS = "mix_ups.csv"
"""Beside them, which species the student took for which on the validation photos (evaluate/tables.py)."""
WEIGHTS_FILE = "weights.json"
"""There: the SHA-256 of the weights that each folder is about, by its name."""


def copy_network(student: Path, folder: Path) -> None:
    """Copy the network's weights, and what they are the weights of, beside the files that `describe_model` writes."""
    for file in (BEST_FILE, SPEC_FILE):
        with written_whole(folder / file) as temporary:
            shutil.copyfile(student / file, temporary)


def copy_prior(described: Path, folder: Path) -> None:
    """Copy what place and season say beside a network, if the evaluation in `described` found that to help."""
    header = described / PRIOR_FILES[0]
    if header.is_file() and json.loads(header.read_bytes())["strength"] > 0:
        for name in PRIOR_FILES:
            with written_whole(folder / name) as temporary:
                shutil.copyfile(described / name, temporary)


def copy_familiar(described: Path, folder: Path, prelogits: str | None = None) -> None:
    """Copy what tells strangers (evaluate/familiar.py), if the evaluation in `described` found that.

    In a bundle `prelogits` is the node of model.json that it is about.
    """
    if familiar := read_familiar(described):
        write_familiar(familiar, folder, prelogits)


def describe_model(
    folder: Path,
    network: NetworkSpec,
    evaluation: Evaluation,
    style: SquareStyle,
    taxonomy: Taxonomy,
    regions: Collection[str] = (),
) -> None:
    """Write labels.json, calibration.json and preprocessing.json: all that answering takes beside the network.

    With `regions`, answers are only what was seen there. Raises ParamsError for one without training photos.
    """
    labels = Labels.of(network.ranks, network.classes, taxonomy)
    (labels.within(regions) if regions else labels).write(folder)
    Calibration(
        temperatures=evaluation.temperatures_of(network.ranks),
        rules=evaluation.rules_of(network.ranks),
        max_error=evaluation.max_error,
        set_target=evaluation.set_target,
        fusion_exponent=evaluation.fusion_exponent,
    ).write(folder)
    Preprocessing.of(network, style).write(folder)


def describe_models(networks: Mapping[str, Path], reports: Path, style: SquareStyle, taxonomy: Taxonomy) -> None:
    """Describe every network that the evaluation in `reports` saw, by name and folder, so that each of them answers.

    A stage may not write into what another one wrote, so the files lie in `reports/models/NAME`; weights.json tells by
    digests whose they are.
    """
    out = reports / DESCRIPTIONS.name
    for name, folder in networks.items():
        describe_model(out / name, NetworkSpec.read(folder), read_evaluation(reports, name), style, taxonomy)
    write_json(out / WEIGHTS_FILE, {name: file_sha256(folder / BEST_FILE) for name, folder in networks.items()})
