"""What is in a Darwin Core Archive, as its meta.xml describes it (TDWG, Darwin Core text guide, 2009).

Terms go by the last part of their address: `gbifID`, `scientificName`, `identifier`.
"""

import csv
import zipfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from fieldguide.catalogue.sources.tables import numbered_lines
from fieldguide.errors import CatalogueError

META = "meta.xml"
MAX_META_BYTES = 2**20
NAMESPACE = "{http://rs.tdwg.org/dwc/text/}"
ESCAPES = {r"\t": "\t", r"\n": "\n", r"\r": "\r", r"\r\n": "\r\n"}


@dataclass(frozen=True)
class Part:
    """One kind of rows: the core or an extension."""

    row_type: str
    """`Occurrence`, `Multimedia`, ..."""
    files: tuple[str, ...]
    delimiter: str
    quote: str
    """Empty if fields are not enclosed."""
    header_lines: int
    key: int
    """Column that names the core's row."""
    columns: dict[str, int]
    defaults: dict[str, str]

    def has(self, term: str) -> bool:
        """Whether rows say anything under `term`."""
        return term in self.columns or term in self.defaults


@dataclass(frozen=True)
class Line:
    """One row: `key` names the row of the core that it is or belongs to."""

    where: str
    """`frogs.zip/multimedia.txt line 12`."""
    source_row: str
    """`multimedia.txt:12`."""
    key: str
    cells: tuple[str, ...]
    part: Part

    def get(self, term: str) -> str | None:
        """The cell under `term`, its default where it is empty, None if there is neither."""
        column = self.part.columns.get(term)
        cell = self.cells[column].strip() if column is not None else ""
        return cell or self.part.defaults.get(term)


class DwcArchive:
    """A zip or a folder with a meta.xml. Raises CatalogueError wherever it is not as meta.xml says."""

    def __init__(self, path: Path) -> None:
        self.path = path
        root = self._read_meta()
        core = root.find(f"{NAMESPACE}core")
        if core is None:
            raise CatalogueError(f"{path}/{META}: no <core>; expected a Darwin Core Archive")
        self.core = self._part(core, "id")
        self.extensions = [self._part(element, "coreid") for element in root.findall(f"{NAMESPACE}extension")]

    def lines(self, part: Part) -> Iterator[Line]:
        """The rows of all files of `part`, in order."""
        width = max([part.key, *part.columns.values()]) + 1
        for file in part.files:
            with closing(self._open(file)) as stream:
                for number, cells in _read_cells(stream, f"{self.path}/{file}", part):
                    where = f"{self.path}/{file} line {number}"
                    if len(cells) < width:
                        raise CatalogueError(f"{where}: {len(cells)} fields; {META} expects {width} at least")
                    yield Line(where, f"{file}:{number}", cells[part.key].strip(), tuple(cells), part)

    def _read_meta(self) -> Element:
        with closing(self._open(META)) as stream:
            content = stream.read(MAX_META_BYTES + 1)
        try:
            if len(content) > MAX_META_BYTES or b"<!DOCTYPE" in content:
                raise CatalogueError(f"{self.path}/{META}: longer than {MAX_META_BYTES} bytes, or with a DOCTYPE")
            return ElementTree.fromstring(content)
        except ElementTree.ParseError as error:
            raise CatalogueError(f"{self.path}/{META}: not valid XML ({error})") from None

    def _part(self, element: Element, key: str) -> Part:
        where = f"{self.path}/{META}, {element.get('rowType')}"
        encoding = element.get("encoding", "UTF-8")
        if encoding.upper().replace("-", "") != "UTF8":
            raise CatalogueError(f"{where}: encoding {encoding}; expected UTF-8")
        delimiter = element.get("fieldsTerminatedBy", ",")
        delimiter = ESCAPES.get(delimiter, delimiter)
        if len(delimiter) != 1:
            raise CatalogueError(f"{where}: fieldsTerminatedBy {delimiter!r}; expected one character")
        columns, defaults = {}, {}
        try:
            for field in element.iter(f"{NAMESPACE}field"):
                term = _short(field.attrib["term"])
                if "index" in field.attrib:
                    columns[term] = int(field.attrib["index"])
                if default := field.get("default"):
                    defaults[term] = default
            identifier = element.find(f"{NAMESPACE}{key}")
            index = int(identifier.attrib["index"]) if identifier is not None else columns["gbifID"]
            header_lines = int(element.get("ignoreHeaderLines", "0"))
        except (KeyError, ValueError) as error:
            raise CatalogueError(f"{where}: no usable {key}, term or index ({error})") from None
        files = tuple((file.text or "").strip() for file in element.iter(f"{NAMESPACE}location"))
        quote = element.get("fieldsEnclosedBy", '"')
        return Part(_short(element.get("rowType", "")), files, delimiter, quote, header_lines, index, columns, defaults)

    def _open(self, name: str) -> IO[bytes]:
        try:
            if self.path.is_dir():
                if not (self.path / name).resolve().is_relative_to(self.path.resolve()):
                    raise CatalogueError(f"{self.path}/{META} names {name!r}, which is outside of the archive")
                return (self.path / name).open("rb")
            return zipfile.ZipFile(self.path).open(name)
        except (FileNotFoundError, KeyError):
            missing = self.path if not self.path.exists() else f"{self.path}/{name}"
            raise CatalogueError(f"{missing} is missing; expected a Darwin Core Archive") from None
        except (zipfile.BadZipFile, IsADirectoryError, PermissionError) as error:
            raise CatalogueError(f"{self.path} cannot be read: {error}") from None


def _short(term: str) -> str:
    return term.rstrip("/").rsplit("/", 1)[-1].rsplit("#", 1)[-1]


def _read_cells(stream: IO[bytes], name: str, part: Part) -> Iterator[tuple[int, list[str]]]:
    """Line number from 1 and cells of every row below the header."""
    try:
        lines = numbered_lines(stream, name)
        if not part.quote:
            for number, line in lines:
                if number > part.header_lines and line.strip("\r\n"):
                    yield number, line.rstrip("\r\n").split(part.delimiter)
            return
        reader = csv.reader((line for _, line in lines), delimiter=part.delimiter, quotechar=part.quote)
        for cells in reader:
            if reader.line_num > part.header_lines and cells:
                yield reader.line_num, cells
    except (zipfile.BadZipFile, EOFError, csv.Error) as error:
        raise CatalogueError(f"{name} cannot be read: {error}") from None
