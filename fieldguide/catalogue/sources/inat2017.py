"""The `inat2017` kind: the COCO-style JSON of the iNaturalist challenges (2017, 2018, 2019, 2021), and of other tools.

`images`, `annotations`, `categories` and `licenses` are streamed, not loaded: train2021.json alone would fill ten
gigabytes. The categories are kept in memory, the annotations in a temporary SQLite file. Several bounding boxes of an
image are one around them all, under its one category; an image under two is left out, and one without annotation (the
challenges' test sets) is a photo without label.
"""

import logging
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Literal

from fieldguide.catalogue.boxes import NONSENSE, DrawnBox, on_picture, read_box
from fieldguide.catalogue.rows import NO_FILL, SCHEME, Fill, Row, describe_row, locate, tidy, trim
from fieldguide.catalogue.sources.archives import ARCHIVES
from fieldguide.catalogue.sources.cells import plain, whole_id
from fieldguide.catalogue.sources.joining import temporary_database
from fieldguide.catalogue.sources.json_lists import read_objects
from fieldguide.catalogue.sources.left_out import BAD_ROW, LeftOut
from fieldguide.catalogue.taxa import Taxon, describe_lineage
from fieldguide.errors import CatalogueError
from fieldguide.params import Section

log = logging.getLogger(__name__)

TABLE: Final = """
CREATE TABLE annotation (image TEXT PRIMARY KEY, category, other, has_box, "left", top, "right", bottom) WITHOUT ROWID
"""
ADD: Final = """
INSERT INTO annotation VALUES (?, ?, NULL, ?, ?, ?, ?, ?) ON CONFLICT (image) DO UPDATE SET
other = iif(category = excluded.category, other, excluded.category),
has_box = max(has_box, excluded.has_box),
"left" = min(coalesce("left", excluded."left"), coalesce(excluded."left", "left")),
top = min(coalesce(top, excluded.top), coalesce(excluded.top, top)),
"right" = max(coalesce("right", excluded."right"), coalesce(excluded."right", "right")),
bottom = max(coalesce(bottom, excluded.bottom), coalesce(excluded.bottom, bottom))
"""
"""Boxes of one image become the smallest one around them; those that are none leave the others alone."""


class Inat2017Source(Section):
    """A challenge's JSON and the photos that it names."""

    kind: Literal["inat2017"]
    """`inat2017`."""
    path: Path
    """train2017.json and the like, also .gz."""
    photos: str
    """Where `file_name` is: in a folder relative to that of `path`, which paths may not leave, in an archive (.tar,
    .tar.gz, .zip) there, or below a URL."""
    given_split: Literal["train", "val", "test"] | None = None
    """What the set calls this file; `split.given` can honour it."""
    fill: Fill = NO_FILL
    """Values for photos about which the source itself says nothing."""

    def rows(self) -> Iterator[Row]:
        """The images in the file's order; their number in it, from 1, is the source row."""
        left_out = LeftOut()
        return left_out.report(self._images(left_out), str(self.path))

    def _images(self, left_out: LeftOut) -> Iterator[Row]:
        labels = self._by_id("categories", lambda entry: entry.get("name"))
        licences = self._by_id("licenses", lambda entry: entry.get("url") or entry.get("name"))
        num_rows, num_labelled, num_matched = 0, 0, 0
        with temporary_database() as database:
            num_annotated = self._store_annotations(database, left_out)
            if not labels and num_annotated:
                raise CatalogueError(f"{self.path}: no `categories`, but annotations that refer to them")
            for number, entry in read_objects(self.path, "images", left_out):
                where = f"{self.path} image {number}"
                try:
                    row_id = _id(entry.get("id"), f"{where}, id")
                    found = database.execute("SELECT * FROM annotation WHERE image = ?", (row_id,)).fetchone()
                    num_matched += found is not None
                    label = None if found is None else _label(labels, found[1], found[2], where)
                    row = self._row(entry, row_id, label, licences, number, where)
                    if found is not None and found[3]:
                        row = replace(row, box=_box(found[4:], entry))
                except CatalogueError as error:
                    left_out.note(BAD_ROW, error)
                    continue
                num_rows += 1
                num_labelled += label is not None
                yield row
        if num_annotated and num_rows and not num_matched:
            raise CatalogueError(
                f"{self.path}: no image has the id of any of {num_annotated} annotated ones; expected `image_id` in "
                "`annotations` to be an `id` in `images`"
            )
        if num_annotated > num_matched:
            left_out.note("annotated image that is not in `images`", self.path, num_annotated - num_matched)
        if num_rows > num_labelled:
            log.warning("%s: %d of %d images have no annotation", self.path, num_rows - num_labelled, num_rows)

    def taxa(self) -> Iterator[Taxon]:
        """The categories, with the ranks that the year's file gives; `group` is the supercategory."""
        for number, entry in read_objects(self.path, "categories"):
            where = f"{self.path}, categories[{number}]"
            name = tidy(entry.get("name"), f"{where}, name")
            if name is None:
                raise CatalogueError(f"{where}: no name; expected a category's name")
            lineage = describe_lineage({**entry, "group": entry.get("supercategory")}, where)
            yield Taxon(name=name, lineage=lineage, vernacular=tidy(entry.get("common_name"), f"{where}, common_name"))

    def _address(self, file_name: str) -> str:
        """Where a photo is, as tables would say it."""
        ending = next((ending for ending in ARCHIVES if self.photos.lower().endswith(ending)), None)
        if ending is None or SCHEME.match(self.photos):
            return f"{self.photos.rstrip('/')}/{file_name}"
        return f"{ARCHIVES[ending]}://{file_name}::{self.photos}"

    def _row(
        self,
        entry: Mapping[str, Any],
        row_id: str | None,
        label: str | None,
        licences: Mapping[str, str | None],
        number: int,
        where: str,
    ) -> Row:
        file_name = trim(plain(entry.get("file_name")), f"{where}, file_name")
        if row_id is None or file_name is None:
            raise CatalogueError(f"{where}: got id {row_id!r}, file_name {file_name!r}; expected both")
        url, root = locate(self._address(file_name), self.path.parent)
        described = {
            "label": label,
            "licence": licences.get(_id(entry.get("license"), f"{where}, license") or ""),
            "rights_holder": plain(entry.get("rights_holder")),
            "given_split": self.given_split,
            **{name: plain(entry.get(name)) for name in ("latitude", "longitude", "date")},
        }
        row = Row(
            id=row_id, source_row=f"{self.path.name}:{number}", url=url, root=root, **describe_row(described, where)
        )
        return self.fill.complete(row)

    def _by_id(self, name: str, tell: Callable[[dict[str, Any]], Any]) -> dict[str, str | None]:
        """What is told of each entry of a list, by its id. Raises CatalogueError if an id is missing or comes twice."""
        told: dict[str, str | None] = {}
        places: dict[str, int] = {}
        for number, entry in read_objects(self.path, name):
            where = f"{self.path}, {name}[{number}]"
            entry_id = _id(entry.get("id"), f"{where}, id")
            if entry_id is None:
                raise CatalogueError(f"{where}: no id; expected every one to have its own")
            if entry_id in told:
                raise CatalogueError(f"{where}: the id {entry_id} is that of {name}[{places[entry_id]}] already")
            told[entry_id], places[entry_id] = tidy(plain(tell(entry)), where), number
        return told

    def _store_annotations(self, database: sqlite3.Connection, left_out: LeftOut) -> int:
        """Fill the table `annotation` with what is annotated of each image, and an `other` category if it has several.

        Returns the number of images.
        """
        database.executescript(TABLE)
        database.executemany(ADD, self._annotations(left_out))
        (num_images,) = database.execute("SELECT count(*) FROM annotation").fetchone()
        return int(num_images)

    def _annotations(self, left_out: LeftOut) -> Iterator[tuple[str | float | None, ...]]:
        """Image, category, whether there is a box, and its left, top, right and bottom, of each annotation."""
        for number, entry in read_objects(self.path, "annotations", left_out):
            where = f"{self.path} annotation {number}"
            try:
                image, category = (_id(entry.get(name), f"{where}, {name}") for name in ("image_id", "category_id"))
            except CatalogueError as error:
                left_out.note(BAD_ROW, error)
                continue
            if image is None or category is None:
                left_out.note(BAD_ROW, f"{where}: no image_id or no category_id; expected both")
            else:
                box = read_box(plain(entry.get("bbox")))
                yield image, category, box is not None, *(box or [None] * 4)


def _label(labels: Mapping[str, str | None], category: str, other: str | None, where: str) -> str:
    """The name of an image's category. Raises CatalogueError if it has two, or if there is no such name."""
    if other is not None:
        raise CatalogueError(f"{where}: the image has the categories {category} and {other}; expected one")
    if category not in labels:
        raise CatalogueError(f"{where}: category {category} is not among the {len(labels)} of `categories`")
    label = labels[category]
    if label is None:
        raise CatalogueError(f"{where}: the category {category} has no name; expected one")
    return label


def _box(corners: Sequence[float | None], entry: Mapping[str, Any]) -> DrawnBox:
    """The box of the catalogue around all those of an image; `corners` are null if none of them is sound."""
    known = [corner for corner in corners if corner is not None]
    return on_picture(known, entry.get("width"), entry.get("height")) if known else NONSENSE


def _id(value: Any, where: str) -> str | None:
    """An id as text: 1, 1.0 and "1" are one. Raises CatalogueError if it is a list or an object."""
    return tidy(whole_id(value), where)
