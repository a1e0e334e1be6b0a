"""The `mongodb` kind: the documents of a collection, one photo or one list of photos each."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import PositiveInt
from pymongo import ASCENDING, MongoClient

from fieldguide.catalogue.rows import NO_FILL, Fill, Row
from fieldguide.catalogue.sources.columns import Columns, Record, rows_of
from fieldguide.catalogue.sources.left_out import LeftOut
from fieldguide.catalogue.sources.reading import reading
from fieldguide.credentials import resolve
from fieldguide.params import Section

TIMEOUT_MS = 10_000


class MongodbSource(Section):
    """A collection and a query. DVC cannot see that it has changed: `dvc repro --force fetch` asks again."""

    kind: Literal["mongodb"]
    """`mongodb`."""
    url: str
    """`mongodb://host/`; `$NAME` is taken from the environment, so that no password stands in params.yaml."""
    database: str
    """Its name."""
    collection: str
    """Its name."""
    query: dict[str, Any]
    """Which documents, in MongoDB's query language; {} is all."""
    projection: list[str] | None
    """Fields to ask for; null asks for those that the columns need."""
    batch_size: PositiveInt
    """Documents that are asked for at once."""
    read_preference: Literal["primary", "primaryPreferred", "secondary", "secondaryPreferred", "nearest"]
    """Which members of a replica set may answer."""
    columns: Columns
    """What the source calls the columns of the catalogue."""
    explode: str | None = None
    """The field that holds a list of photos, if a document is an observation with several."""
    root: Path | None = None
    """The folder that paths in the `url` field start from and may not leave; null allows URLs only."""
    fill: Fill = NO_FILL
    """Values for photos about which the source itself says nothing."""

    def rows(self) -> Iterator[Row]:
        """The documents' photos in the order of `_id`, streamed."""
        left_out = LeftOut()
        rows = rows_of(
            self._records(),
            self.collection,
            self.columns,
            fill=self.fill,
            folder=self.root,
            left_out=left_out,
            explode=self.explode,
        )
        return left_out.report(rows, f"{self.database}.{self.collection}")

    def _records(self) -> Iterator[Record]:
        needed = {*self.columns.mapped.values()} | ({self.explode} if self.explode else set())
        fields = self.projection or sorted({name.partition(".")[0] for name in needed})
        where = f"{self.database}.{self.collection}"
        address = resolve(self.url)
        with reading(where, lambda text: address.mask(text.partition(", Timeout:")[0])):
            client: MongoClient[dict[str, Any]] = MongoClient(
                address.text,
                serverSelectionTimeoutMS=TIMEOUT_MS,
                readPreference=self.read_preference,
            )
            with client:
                found = client[self.database][self.collection].find(
                    self.query, fields, batch_size=self.batch_size, sort=[("_id", ASCENDING)]
                )
                for number, document in enumerate(found, start=1):
                    yield number, f"{where}, document {document.get('_id')}", document
