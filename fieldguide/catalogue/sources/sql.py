"""The `sql` kind: what a query of any database that SQLAlchemy knows returns, one photo per row."""

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Literal

import sqlalchemy
from pydantic import PositiveInt, field_validator
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from fieldguide.catalogue.rows import Fill, Row
from fieldguide.catalogue.sources.columns import Columns, Record, rows_of
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
    root: Path | None
    """The folder that paths in the `url` column start from and may not leave; null allows URLs only."""
    batch_size: PositiveInt
    """Rows that are asked for at once."""
    fill: Fill
    """Values for photos about which the source itself says nothing."""

    @field_validator("query")
    @classmethod
    def _has_an_order(cls, query: str) -> str:
        if not re.search(r"\border\s+by\b", query, re.IGNORECASE):
            raise ValueError("the query has no ORDER BY; expected one, as rows must come in the same order each time")
        return query

    def rows(self) -> Iterator[Row]:
        """The query's rows in its own order, streamed."""
        return rows_of(self._records(), "query", self.columns, None, self.fill, self.root)

    def _records(self) -> Iterator[Record]:
        address, name = resolve(self.url), mask_credentials(self.url)
        try:
            url = sqlalchemy.make_url(address.text)
            if url.get_backend_name() == "sqlite" and url.database and not Path(url.database).exists():
                raise CatalogueError(f"{name}: {address.mask(url.database)} is missing")
            engine = sqlalchemy.create_engine(url)
        except (ArgumentError, NoSuchModuleError, ModuleNotFoundError, ValueError) as error:
            raise CatalogueError(f"{name}: {address.mask(error)}; expected a SQLAlchemy URL") from None
        try:
            with (
                engine.connect().execution_options(yield_per=self.batch_size) as connection,
                closing(connection.execute(sqlalchemy.text(self.query)).mappings()) as result,
            ):
                names = list(result.keys())
                for theirs in self.columns.mapped.values():
                    if theirs not in names:
                        raise CatalogueError(f"{name}: the query has no column {theirs!r}; it has {', '.join(names)}")
                for number, cells in enumerate(result, start=1):
                    record = {theirs: _plain(cells[theirs]) for theirs in self.columns.mapped.values()}
                    yield number, f"{name}, row {number} of the query", record
        except SQLAlchemyError as error:
            raise CatalogueError(f"{name}: {address.mask(str(error).splitlines()[0])}") from None
        finally:
            engine.dispose()


def _plain(value: object) -> object:
    # Decimals, dates and UUIDs are text to us.
    return value if value is None or isinstance(value, str | int | float | bytes) else str(value)
