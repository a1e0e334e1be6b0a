"""The `inat2017` kind: the COCO-style JSON of the iNaturalist challenges (2017, 2018, 2019, 2021).

`images`, `annotations`, `categories` and `licenses` are streamed, not loaded: train2021.json alone would fill ten
gigabytes. Kept are one number per image and the categories. Bounding boxes repeat an image under its one category; an
image under two is an error, and one without annotation (the challenges' test sets) is a photo without label.
"""

import gzip
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Literal

import ijson
import numpy as np
import numpy.typing as npt

from fieldguide.catalogue.rows import SCHEME, Fill, Row, describe_row, locate, tidy, trim
from fieldguide.catalogue.sources.folders import ARCHIVES
from fieldguide.catalogue.sources.tables import open_bytes
from fieldguide.catalogue.taxa import Taxon, describe_lineage
from fieldguide.errors import CatalogueError
from fieldguide.params import Section


class Inat2017Source(Section):
    """A challenge's JSON and the photos that it names."""

    kind: Literal["inat2017"]
    """`inat2017`."""
    path: Path
    """train2017.json and the like, also .gz."""
    photos: str
    """Where `file_name` is: in a folder relative to that of `path`, which paths may not leave, in an archive (.tar,
    .tar.gz, .zip) there, or below a URL."""
    given_split: Literal["train", "val", "test"] | None
    """What the set calls this file; `split.given` can honour it."""
    fill: Fill
    """Values for photos about which the source itself says nothing."""

    def rows(self) -> Iterator[Row]:
        """The images in the file's order; their number in it, from 1, is the source row."""
        try:
            labels = {entry["id"]: _label(entry, self.path) for _, entry in self._entries("categories")}
            licences = {entry["id"]: entry.get("url") or entry.get("name") for _, entry in self._entries("licenses")}
            images, categories = self._annotations()
        except KeyError as error:
            raise CatalogueError(f"{self.path}: a category, licence or annotation without {error}") from None
        if not labels and len(images):
            raise CatalogueError(f"{self.path}: no `categories`, but annotations that refer to them")
        num_images = 0
        for number, entry in self._entries("images"):
            where = f"{self.path} image {number}"
            num_images = number
            row_id, file_name = (
                tidy(entry.get("id"), f"{where}, id"),
                trim(entry.get("file_name"), f"{where}, file_name"),
            )
            if row_id is None or file_name is None:
                raise CatalogueError(f"{where}: got id {row_id!r}, file_name {file_name!r}; expected both")
            category = _look_up(images, categories, entry["id"])
            if category is not None and category not in labels:
                raise CatalogueError(f"{where}: category {category} is not among the {len(labels)} of `categories`")
            url, root = locate(self._address(file_name), self.path.parent)
            described = {
                "label": None if category is None else labels[category],
                "licence": licences.get(entry.get("license")),
                "rights_holder": entry.get("rights_holder"),
                "given_split": self.given_split,
            }
            yield self.fill.complete(
                Row(
                    id=row_id,
                    source_row=f"{self.path.name}:{number}",
                    url=url,
                    root=root,
                    **describe_row(described, where),
                )
            )
        if not num_images:
            raise CatalogueError(f"{self.path}: no `images`; expected the JSON of an iNaturalist challenge")

    def taxa(self) -> Iterator[Taxon]:
        """The categories, with the ranks that the year's file gives; `group` is the supercategory."""
        for number, entry in self._entries("categories"):
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

    def _entries(self, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
        """The objects of one of the file's lists with their numbers from 1."""
        try:
            with open_bytes(self.path) as stream:
                for number, entry in enumerate(_parse(stream, name), start=1):
                    if not isinstance(entry, dict):
                        raise CatalogueError(f"{self.path}, {name}[{number}]: got {entry!r}; expected an object")
                    yield number, entry
        except FileNotFoundError:
            raise CatalogueError(f"{self.path} is missing") from None
        except ijson.JSONError as error:
            raise CatalogueError(f"{self.path}: not valid JSON ({' '.join(str(error).split())[:200]})") from None
        except (IsADirectoryError, PermissionError, gzip.BadGzipFile, EOFError) as error:
            raise CatalogueError(f"{self.path} cannot be read: {error}") from None

    def _annotations(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Ids of the annotated images, in order, and the category of each: int64 [num_annotated]."""
        images, categories = array("q"), array("q")
        for number, entry in self._entries("annotations"):
            try:
                images.append(entry["image_id"])
                categories.append(entry["category_id"])
            except (TypeError, OverflowError):
                raise CatalogueError(
                    f"{self.path} annotation {number}: image_id or category_id is not a whole number: {entry}"
                ) from None
        pairs = np.unique(np.stack([np.frombuffer(images, np.int64), np.frombuffer(categories, np.int64)]), axis=1)
        repeated = np.flatnonzero(pairs[0, 1:] == pairs[0, :-1])
        if len(repeated):
            image, (one, other) = pairs[0, repeated[0]], pairs[1, repeated[0] : repeated[0] + 2]
            raise CatalogueError(
                f"{self.path}: image {image} has the categories {one} and {other}; expected one ({len(repeated)} such)"
            )
        return pairs[0], pairs[1]


def _parse(stream: IO[bytes], name: str) -> Iterator[Any]:
    items: Iterator[Any] = ijson.items(stream, f"{name}.item", use_float=True)
    return items


def _label(category: dict[str, Any], path: Path) -> str | None:
    return tidy(category["name"], f"{path}, category {category['id']}")


def _look_up(images: npt.NDArray[np.int64], categories: npt.NDArray[np.int64], image: Any) -> int | None:
    """The category of an image, None where it has none."""
    if not isinstance(image, int):
        return None
    place = int(np.searchsorted(images, image))
    return int(categories[place]) if place < len(images) and images[place] == image else None
