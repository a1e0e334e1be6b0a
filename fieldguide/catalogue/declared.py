"""The sources of params.yaml, and the taxonomy that they bring with them."""

from pathlib import Path

from pydantic import ConfigDict

from fieldguide.catalogue.sources import AnySource
from fieldguide.catalogue.taxa import TaxonSource, write_taxa
from fieldguide.errors import CatalogueError
from fieldguide.params import PARAMS_FILE, Section, load_section


class FetchSources(Section):
    """The part of fetch's section that says where photos are listed; the rest is none of our business."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    sources: dict[str, AnySource]
    """By name."""


def read_sources(params: Path = PARAMS_FILE) -> dict[str, AnySource]:
    """The sources by name. Raises ParamsError if they are not described as fetch expects."""
    return load_section(FetchSources, "fetch", params).sources


def write_source_taxonomy(out: Path, params: Path = PARAMS_FILE) -> int:
    """Write the taxa of all sources that hold ranks to `out` and return their number.

    Raises CatalogueError if no source holds any, ParamsError if the sources are not described as fetch expects.
    """
    sources = read_sources(params)
    holders = [source for source in sources.values() if isinstance(source, TaxonSource)]
    if not holders:
        kinds = ", ".join(f"{name} ({source.kind})" for name, source in sources.items())
        raise CatalogueError(
            f"{params}: no source holds ranks; got {kinds}; expected inat2017, inat_open_data or dwca among them"
        )
    return write_taxa((taxon for source in holders for taxon in source.taxa()), out)
