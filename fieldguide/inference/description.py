"""Where it stands what a network's outputs mean: beside its weights, or where the evaluation described them."""

import json
from pathlib import Path

from fieldguide.errors import ExportError
from fieldguide.export.model_files import Labels
from fieldguide.export.model_folder import DESCRIPTIONS, WEIGHTS_FILE
from fieldguide.files import file_sha256
from fieldguide.learn.description import BEST_FILE


def find_description(folder: Path) -> Path:
    """The folder that holds labels.json, calibration.json and preprocessing.json of the model in `folder`.

    It is `folder` itself if export-tfjs wrote it. A network that was trained (models/teachers/NAME, models/student) has
    none; then it is the part of the evaluation, in the repository around it, that is about these very weights. Raises
    ExportError if the evaluation saw others.
    """
    weights = folder / BEST_FILE
    if (folder / Labels.name()).exists() or not weights.is_file():
        return folder
    for repository in folder.resolve().parents:
        index = repository / DESCRIPTIONS / WEIGHTS_FILE
        if index.is_file():
            digest = file_sha256(weights)
            known = json.loads(index.read_text(encoding="utf-8"))
            for name, described in known.items():
                if described == digest:
                    return index.parent / name
            raise ExportError(
                f"{weights} is not what {index} describes ({', '.join(known)}); "
                "expected weights that the evaluate stage has seen: dvc repro evaluate"
            )
    return folder
