"""The classes of every rank and how they nest: what all stages after split know of taxa.

The class list of a rank is `other`, index 0, then the names in sorted order.
"""

from functools import cached_property
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from fieldguide.errors import CatalogueError
from fieldguide.files import write_json

OTHER = "other"

Lineage = dict[str, str]
"""The higher ranks of a taxon: `{"genus": "Aster", "family": "Asteraceae"}`; unknown ranks are absent."""


class Taxonomy(BaseModel):
    """taxonomy.json; the fields are explained in docs/formats.md."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ranks: list[str]
    classes: dict[str, list[str]]
    parents: dict[str, dict[str, Lineage]]
    merged_into_other: dict[str, Lineage]
    vernacular: dict[str, str]
    regions: dict[str, list[str]]
    vernaculars: dict[str, dict[str, str]] = {}

    @classmethod
    def read(cls, path: Path) -> "Taxonomy":
        """Read taxonomy.json. Raises CatalogueError if it is missing or malformed."""
        try:
            return cls.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            raise CatalogueError(f"{path} is missing; run the split stage first") from None
        except ValidationError as error:
            raise CatalogueError(f"{path} is not a taxonomy: {error.errors()[0]['msg']}") from None

    def write(self, path: Path) -> None:
        """Write taxonomy.json, whole or not at all; without `vernaculars` where there are none."""
        write_json(path, self.model_dump(exclude_defaults=True))

    @cached_property
    def _indices(self) -> dict[str, dict[str, int]]:
        return {rank: {name: i for i, name in enumerate(names)} for rank, names in self.classes.items()}

    def index(self, rank: str) -> dict[str, int]:
        """Class index by class name at `rank`."""
        return self._indices[rank]
