"""Where photos are listed: one module per kind of source, one protocol (`catalogue.rows.Source`).

A new kind is a module with a params section that has `rows()`, and its name in `AnySource`.
"""

from typing import Annotated

from pydantic import Field

from fieldguide.catalogue.sources.dwca import DwcaSource
from fieldguide.catalogue.sources.folders import FoldersSource
from fieldguide.catalogue.sources.inat2017 import Inat2017Source
from fieldguide.catalogue.sources.inat_open_data import InatOpenDataSource
from fieldguide.catalogue.sources.mongodb import MongodbSource
from fieldguide.catalogue.sources.observations import ObservationsSource
from fieldguide.catalogue.sources.sql import SqlSource
from fieldguide.catalogue.sources.urls import UrlsSource

AnySource = Annotated[
    ObservationsSource
    | FoldersSource
    | UrlsSource
    | Inat2017Source
    | InatOpenDataSource
    | DwcaSource
    | SqlSource
    | MongodbSource,
    Field(discriminator="kind"),
]
"""A source's section in params.yaml; its `kind` picks the model."""

__all__ = [
    "AnySource",
    "DwcaSource",
    "FoldersSource",
    "Inat2017Source",
    "InatOpenDataSource",
    "MongodbSource",
    "ObservationsSource",
    "SqlSource",
    "UrlsSource",
]
