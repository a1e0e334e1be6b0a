"""Every file and folder on this machine that the sources of params.yaml name."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from fieldguide.catalogue.rows import SCHEME
from fieldguide.params import paths_in

SQLITE = "sqlite:///"


def named_paths(sources: Mapping[str, BaseModel]) -> Iterator[Path]:
    """The paths of each source's section in its order; some may not exist."""
    for source in sources.values():
        yield from paths_in(source)
        yield from _told_otherwise(dict(source))


def _told_otherwise(fields: Mapping[str, Any]) -> Iterator[Path]:
    """The paths that a source's section holds as text, because they might be URLs, and the folders that it implies."""
    match fields.get("kind"):
        case "urls" if not SCHEME.match(fields["path"]):
            yield Path(fields["path"])
        case "inat2017" if not SCHEME.match(fields["photos"]):
            yield fields["path"].parent / fields["photos"]
        case "sql" if fields["url"].startswith(SQLITE) and "$" not in fields["url"]:
            yield Path(fields["url"].removeprefix(SQLITE).partition("?")[0])
        case "observations" if fields.get("root") is None:
            # Paths in a table start beside it.
            folders = {path.parent for path in paths_in(fields["path"])}
            yield from (folder for folder in sorted(folders) if not _holds_the_project(folder))


def _holds_the_project(folder: Path) -> bool:
    return Path.cwd().is_relative_to(folder.resolve())
