"""From what a user points at to the sections of `fetch.sources`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fieldguide.catalogue.rows import SPLIT_NAMES
from fieldguide.catalogue.sources.archives import ARCHIVES
from fieldguide.errors import CatalogueError, ParamsError
from fieldguide.survey.layout import SPLIT_WORDS, Layout, find_layout
from fieldguide.survey.tables import find_table_layout
from fieldguide.survey.trees import TABLES, Tree, read_tree

GENERIC = frozenset(
    {"all", "annotations", "data", "dataset", "files", "image", "images", "img", "index", "labels", "list", "manifest"}
    | {"metadata", "observations", "photo", "photos", "pictures", "rows", "table", *SPLIT_WORDS}
)
"""Names that say nothing; the folder above names the source instead."""


@dataclass(frozen=True)
class FoundSource:
    """A section for `fetch.sources` and how it was recognised."""

    section: dict[str, Any]
    """What differs from the template of its kind."""
    reason: str
    has_split: bool
    trees: tuple[Tree, ...] = field(default=())
    """The folders and archives that it reads, if it is made of such."""


def find_sources(photos: Sequence[Path], table: Path | None) -> dict[str, FoundSource]:
    """The sources that hold `photos` (folders, archives, one table or one for each split, or a list of URLs), by name.

    With a table the photos are where its paths lead. Raises ParamsError where what is given makes no sense together,
    CatalogueError where it cannot be read or says nothing of classes.
    """
    for path in photos:
        if not path.exists():
            raise ParamsError(
                f"{path} does not exist; expected folders or archives of photos, a table or a list of URLs"
            )
    tables = [path for path in photos if path.name.lower().endswith(TABLES)]
    lists = [path for path in photos if path.suffix.lower() == ".txt"]
    rest = [path for path in photos if path not in (*tables, *lists)]
    splits = [_split_of_table(path) if len(tables) > 1 else None for path in tables]
    if (
        (table and tables)
        or (len(tables) > 1 and None in splits)
        or len(lists) > 1
        or (lists and (table or tables or rest))
    ):
        raise ParamsError(
            f"{', '.join(map(str, photos))}: expected folders and archives, one table, or one for each split such as "
            "train.csv and val.csv, or one list of URLs"
        )
    if table is not None:
        tables, splits = [table], [None]
    if tables:
        return _named([_from_table(path, rest, split) for path, split in zip(tables, splits, strict=True)], tables)
    if lists:
        found = FoundSource({"kind": "urls", "path": str(shorten(lists[0]))}, "a list of URLs, without classes", False)
        return _named([found], lists)
    return _from_trees([read_tree(root) for root in _join_splits(rest)])


def _split_of_table(path: Path) -> str | None:
    """The split that a table is called after, as train.csv is."""
    word = path.name.partition(".")[0].casefold()
    return SPLIT_NAMES.get(word, word) if word in SPLIT_WORDS else None


def _from_table(table: Path, given: Sequence[Path], split: str | None) -> FoundSource:
    layout = find_table_layout(table, given)
    section: dict[str, Any] = {"kind": "observations", "path": str(shorten(table))}
    if layout.root:
        section["root"] = str(shorten(layout.root))
    section["columns"] = {ours: theirs for ours, theirs in layout.columns.items() if theirs}
    if split:
        section["given_split"] = split
    if layout.explode:
        section["explode"] = layout.explode
    where = "URLs" if layout.is_remote else f"paths that start from {section.get('root', table.parent)}"
    return FoundSource(section, f"a table of {where}", bool(split or layout.columns["given_split"]))


def _from_trees(trees: Sequence[Tree]) -> dict[str, FoundSource]:
    """A source for all trees of one layout; those of others are sources of their own."""
    groups: dict[Layout, list[Tree]] = {}
    for tree in trees:
        if not tree.photos:
            raise CatalogueError(f"{tree.root}: no photo in it{_table_hint(tree)}")
        layout = find_layout(tree.photos)
        if layout is None:
            raise CatalogueError(
                f"{tree.root}: its {len(tree.photos)} photos lie in no folders that could name their classes"
                f"{_table_hint(tree)}"
            )
        groups.setdefault(layout, []).append(tree)
    found = [
        FoundSource(
            {"kind": "folders", "roots": [str(shorten(tree.root)) for tree in group], "pattern": layout.pattern},
            f"paths are {layout.text}",
            layout.has_split,
            tuple(group),
        )
        for layout, group in groups.items()
    ]
    return _named(found, [group[0].root for group in groups.values()])


def _table_hint(tree: Tree) -> str:
    found = f" (such as {tree.root / tree.tables[0]})" if tree.tables else ""
    return f"; expected `Species name/*.jpg`, or a table of photos by --table{found}"


def _join_splits(roots: Sequence[Path]) -> list[Path]:
    """`data/train data/val data/test` are one tree, data."""
    if len(roots) > 1 and len({root.parent for root in roots}) == 1 and all(_is_split(root) for root in roots):
        others = [entry for entry in roots[0].parent.iterdir() if entry.is_dir() and entry not in roots]
        if any(not entry.name.startswith(".") for entry in others):
            named = ", ".join(sorted(entry.name for entry in others))
            raise ParamsError(f"{roots[0].parent} holds other folders ({named}) than those of splits; name it alone")
        return [roots[0].parent]
    return list(roots)


def _is_split(root: Path) -> bool:
    return root.is_dir() and root.name.casefold() in SPLIT_WORDS


def _named(found: Sequence[FoundSource], paths: Sequence[Path]) -> dict[str, FoundSource]:
    sources: dict[str, FoundSource] = {}
    for source, path in zip(found, paths, strict=True):
        name = source_name(path)
        same = sum(re.sub(r"-\d+$", "", taken) == name for taken in sources)
        sources[f"{name}-{same + 1}" if same else name] = source
    return sources


def source_name(path: Path) -> str:
    """What to call a source at `path`: letters, digits and hyphens. It goes into the ids of its photos."""
    for place in (path.absolute(), *path.absolute().parents):
        if place == Path.cwd():
            break
        stem = place.name
        for ending in (*ARCHIVES, *TABLES, ".txt"):
            stem = stem[: -len(ending)] if stem.lower().endswith(ending) else stem
        name = re.sub(r"[^a-z0-9]+", "-", stem.casefold()).strip("-")
        if name and name not in GENERIC:
            return name
    return "photos"


def shorten(path: Path) -> Path:
    """`path` as params.yaml should hold it: below the working directory relative to it, links as they are."""
    absolute = path.absolute()
    return absolute.relative_to(Path.cwd()) if absolute.is_relative_to(Path.cwd()) else absolute
