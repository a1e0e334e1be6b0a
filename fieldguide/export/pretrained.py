"""What student is exported, and whether the pretrained weights behind it may go into a bundle."""

from pathlib import Path

from fieldguide.catalogue.licences import allows_any_use, normalise_licence
from fieldguide.errors import ExportError
from fieldguide.learn.description import SPEC_FILE, NetworkSpec


def read_student(folder: Path, production_only: bool) -> NetworkSpec:
    """The description of the student in `folder`.

    With `production_only` ExportError names pretrained weights, the student's or a teacher's, whose licence does not
    allow any use. Whether a network is made from the weights of those that taught it no court has said; here it is.
    """
    student = NetworkSpec.read(folder)
    for weights in student.pretrained() if production_only else ():
        if not allows_any_use(normalise_licence(weights.licence)):
            raise ExportError(
                f"{folder / SPEC_FILE}: {weights.network} began with {weights.source}, whose licence is "
                f"{weights.licence or 'unknown'}; expected one that allows any use, as export_tfjs.production_only is "
                "true"
            )
    return student
