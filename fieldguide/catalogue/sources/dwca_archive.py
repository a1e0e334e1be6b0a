"""What is in a Darwin Core Archive, as its meta.xml describes it (TDWG, Darwin Core text guide, 2009).

Terms go by the last part of their address: `gbifID`, `scientificName`, `identifier`.
"""

import codecs
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import IO
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from fieldguide.catalogue.sources.left_out import BAD_ROW, LeftOut
from fieldguide.catalogue.sources.reading import reading, unpacked_limit
from fieldguide.catalogue.sources.tables import numbered_lines, read_records
from fieldguide.catalogue.sources.walking import SYSTEM_FOLDER
from fieldguide.errors import CatalogueError

META = "meta.xml"
MAX_META_BYTES = 2**20
NAMESPACE = "{http://rs.tdwg.org/dwc/text/}"
ENCODINGS = ("utf-8", "ascii", "iso8859-1", "cp1252", "iso8859-15")
"""In which a line ends where a byte says so."""
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
    encoding: str
    header_lines: int
    key: int
    """Column that names the core's row."""
    columns: dict[str, int]
    """Of several columns under one term, the first."""
    defaults: dict[str, str]
    repeated: dict[str, str]
    """Terms of several columns, and which these are."""

    def has(self, term: str) -> bool:
        """Whether rows say anything under `term`."""
        return term in self.columns or term in self.defaults


@dataclass(frozen=True)
class Line:
    """One row: `key` names the row of the core that it is or belongs to."""

    where: str
    """`frogs.zip/multimedia.txt line 12`."""
    number: int
    """From 1, of the line in its file."""
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
    """A zip or a folder with a meta.xml, also in a folder within. Raises CatalogueError where it is not as it says."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.folder = self._find_folder()
        root = self._read_meta()
        core = root.find(f"{NAMESPACE}core")
        if core is None:
            raise CatalogueError(f"{self._name(META)}: no <core>; expected a Darwin Core Archive")
        self.core = self._part(core, "id")
        self.extensions = [self._part(element, "coreid") for element in root.findall(f"{NAMESPACE}extension")]

    def lines(self, part: Part, left_out: LeftOut) -> Iterator[Line]:
        """The rows of all files of `part`, in order; those that are too short go into `left_out`."""
        width = max([part.key, *part.columns.values()]) + 1
        for file in part.files:
            with self._open(file) as (stream, name):
                for number, cells in _read_cells(stream, name, part, left_out):
                    where = f"{name} line {number}"
                    if len(cells) < width:
                        left_out.note(BAD_ROW, f"{where}: {len(cells)} fields; {META} expects {width} at least")
                        continue
                    yield Line(where, number, f"{file}:{number}", cells[part.key].strip(), tuple(cells), part)

    def address_of(self, text: str) -> str:
        """What a medium's `text` means for `locate`: a file of the zip where there is such a one, else itself."""
        member = (self.folder / text).as_posix()
        return f"zip://{member}::{self.path.name}" if member in self._members else text

    @cached_property
    def _members(self) -> frozenset[str]:
        """Names of what a zip holds; none of a folder, whose files have paths."""
        if self.path.is_dir():
            return frozenset()
        with reading(str(self.path)), zipfile.ZipFile(self.path) as opened:
            return frozenset(opened.namelist())

    def _find_folder(self) -> PurePosixPath:
        """Where meta.xml lies: at the top or, as some pack their archives, in the only folder that has one."""
        with reading(str(self.path)):
            if self.path.is_dir():
                found = [*self.path.glob(META), *self.path.glob(f"*/{META}")]
                names = [entry.relative_to(self.path).as_posix() for entry in found]
            else:
                with zipfile.ZipFile(self.path) as opened:
                    names = opened.namelist()
        paths = [path for path in map(PurePosixPath, names) if path.name == META]
        folders = {path.parent for path in paths if not any(map(SYSTEM_FOLDER.fullmatch, path.parts))}
        depth = min((len(folder.parts) for folder in folders), default=0)
        top = sorted(folder for folder in folders if len(folder.parts) == depth)
        if not top:
            raise CatalogueError(f"{self.path}/{META} is missing; expected a Darwin Core Archive")
        if len(top) > 1:
            raise CatalogueError(f"{self.path}: {META} lies in {top[0]} and in {top[1]}; expected one archive")
        return top[0]

    def _read_meta(self) -> Element:
        with self._open(META) as (stream, name):
            content = stream.read(MAX_META_BYTES + 1)
            # Without the zeros that UTF-16 puts between letters.
            if len(content) > MAX_META_BYTES or b"<!DOCTYPE" in content.replace(b"\0", b""):
                raise CatalogueError(f"{name}: longer than {MAX_META_BYTES} bytes, or with a DOCTYPE")
            return ElementTree.fromstring(content)

    def _part(self, element: Element, key: str) -> Part:
        where = f"{self._name(META)}, {element.get('rowType')}"
        encoding = element.get("encoding", "UTF-8")
        delimiter, quote = (
            ESCAPES.get(text, text)
            for text in (element.get("fieldsTerminatedBy", ","), element.get("fieldsEnclosedBy", '"'))
        )
        if len(delimiter) != 1 or len(quote) > 1:
            raise CatalogueError(
                f"{where}: fieldsTerminatedBy {delimiter!r}, fieldsEnclosedBy {quote!r}; expected one character"
            )
        columns: dict[str, int] = {}
        defaults: dict[str, str] = {}
        repeated: dict[str, str] = {}
        try:
            codec = codecs.lookup(encoding).name
            for field in element.iter(f"{NAMESPACE}field"):
                term = _short(field.attrib["term"])
                if "index" in field.attrib:
                    index = _index(field)
                    if columns.setdefault(term, index) != index:
                        repeated[term] = f"{columns[term]} and {index}"
                if default := field.get("default"):
                    defaults[term] = default
            identifier = element.find(f"{NAMESPACE}{key}")
            key_index = _index(identifier) if identifier is not None else columns["gbifID"]
            header_lines = int(element.get("ignoreHeaderLines", "0"))
        except (KeyError, ValueError) as error:
            raise CatalogueError(f"{where}: no usable {key}, term or index ({error})") from None
        except LookupError:
            codec = "unknown"
        if codec not in ENCODINGS:
            raise CatalogueError(f"{where}: encoding {encoding}; expected {', '.join(ENCODINGS)}")
        files = tuple((file.text or "").strip() for file in element.iter(f"{NAMESPACE}location"))
        row_type = _short(element.get("rowType", ""))
        return Part(row_type, files, delimiter, quote, codec, header_lines, key_index, columns, defaults, repeated)

    @contextmanager
    def _open(self, file: str) -> Iterator[tuple[IO[bytes], str]]:
        """A file's bytes, and what to call it; what goes wrong while they are read is its fault."""
        name = self._name(file)
        # What an archive says must not lead out of it; where its owner's links lead is the owner's affair.
        if file.startswith("/") or ".." in PurePosixPath(file).parts:
            raise CatalogueError(f"{self._name(META)} names {file!r}, which is outside of the archive")
        with ExitStack() as stack, reading(name):
            if self.path.is_dir():
                yield stack.enter_context((self.path / self.folder / file).open("rb")), name
                return
            archive = stack.enter_context(zipfile.ZipFile(self.path))
            member = (self.folder / file).as_posix()
            if member not in archive.NameToInfo:
                raise CatalogueError(f"{name} is missing; expected a Darwin Core Archive")
            entry = archive.getinfo(member)
            if entry.file_size > unpacked_limit(entry.compress_size):
                raise CatalogueError(f"{name} unpacks to {entry.file_size} bytes, as no table does")
            yield stack.enter_context(archive.open(entry)), name

    def _name(self, file: str) -> str:
        return f"{self.path}/{self.folder / file}"


def _short(term: str) -> str:
    return term.rstrip("/").rsplit("/", 1)[-1].rsplit("#", 1)[-1]


def _index(element: Element) -> int:
    index = int(element.attrib["index"])
    if index < 0:
        raise ValueError(f"index {index}")
    return index


def _read_cells(stream: IO[bytes], name: str, part: Part, left_out: LeftOut) -> Iterator[tuple[int, list[str]]]:
    """Line number from 1 and cells of every row below the header."""
    lines = numbered_lines(stream, name, part.encoding)
    if part.quote:
        records = read_records(lines, name, left_out, delimiter=part.delimiter, quote=part.quote)
    else:
        texts = ((number, line.rstrip("\r\n")) for number, line in lines)
        records = ((number, text.split(part.delimiter)) for number, text in texts if text)
    return ((number, cells) for number, cells in records if number > part.header_lines)
