"""A source of the kind `observations`, and lines of the tables that it reads."""

from pathlib import Path

from fieldguide.catalogue.sources import ObservationsSource

NO_FILL = {"region": None, "licence": None, "rights_holder": None}
COLUMNS = {
    "id": "id",
    "url": "link",
    "observation_id": None,
    "observer": "who",
    "label": "name",
    "region": None,
    "country": None,
    "latitude": None,
    "longitude": None,
    "licence": None,
    "rights_holder": None,
    "given_split": "part",
}
GOOD = '{"id": 1, "link": "1.jpg", "who": "a", "name": "b", "part": "val"}\n'
HEADER = "id,link,who,name,part\n"


def observations(path: Path, root: Path | None = None, **columns: str | None) -> ObservationsSource:
    section = {"kind": "observations", "path": path, "root": root, "columns": COLUMNS | columns, "explode": None}
    return ObservationsSource.model_validate({**section, "fill": NO_FILL})
