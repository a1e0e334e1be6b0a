"""The `sql` kind: what a query of any database that SQLAlchemy knows returns, one photo per row."""

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Literal

import sqlalchemy
from pydantic import PositiveInt, field_validator

from fieldguide.catalogue.rows import NO_FILL, Fill, Row
from fieldguide.catalogue.sources.columns import Columns, Record, rows_of
from fieldguide.catalogue.sources.left_out import LeftOut
from fieldguide.catalogue.sources.reading import reading
from fieldguide.catalogue.sources.tables import check_columns
from fieldguide.credentials import mask_credentials, resolve
from fieldguide.errors import CatalogueError
from fieldguide.params import Section


class SqlSource(Section):
    """A database and a query. DVC cannot see that a database has changed: `dvc repro --force fetch` asks again."""

    kind: Literal["sql"]
    """`sql`."""
    url: str
    """`sqlite:///data/mapping.sqlite`, `postgresql+psycopg://reader:$PASSWORD@host/plants`; `$NAME` is taken from the
    environment, so that no password stands in params.yaml."""
    query: str
    """A SELECT with an ORDER BY, without which no two runs need give the same rows."""
    columns: Columns
    """What the source calls the columns of the catalogue."""
    root: Path | None = None
    """The folder that paths in the `url` column start from and may not leave; null allows URLs only."""
    batch_size: PositiveInt
    """Rows that are asked for at once."""
    fill: Fill = NO_FILL
    """Values for photos about which the source itself says nothing."""

    @field_validator("query")
    @classmethod
    def _has_an_order(cls, query: str) -> str:
        if not re.search(r"\border\s+by\b", query, re.IGNORECASE):
            raise ValueError("the query has no ORDER BY; expected one, as rows must come in the same order each time")
        return query

    def rows(self) -> Iterator[Row]:
        """The query's rows in its own order, streamed."""
        left_out = LeftOut()
        rows = rows_of(self._records(), "query", self.columns, fill=self.fill, folder=self.root, left_out=left_out)
        return left_out.report(rows, mask_credentials(self.url))

    def _records(self) -> Iterator[Record]:
        address, name = resolve(self.url), mask_credentials(self.url)
        with reading(name, lambda text: f"{address.mask(text)}; expected a SQLAlchemy URL"):
            url = sqlalchemy.make_url(address.text)
            if url.get_backend_name() == "sqlite" and url.database and not Path(url.database).exists():
                raise CatalogueError(f"{name}: {address.mask(url.database)} is missing")
            engine = sqlalchemy.create_engine(url)
        try:
            with (
                reading(name, address.mask),
                engine.connect().execution_options(yield_per=self.batch_size) as connection,
                closing(connection.execute(sqlalchemy.text(self.query)).mappings()) as result,
            ):
                wanted = {*self.columns.mapped.values()}
                check_columns(f"{name}, the query", wanted, list(result.keys()))
                for number, cells in enumerate(result, start=1):
                    yield number, f"{name}, row {number} of the query", {theirs: cells[theirs] for theirs in wanted}
        finally:
            engine.dispose()
