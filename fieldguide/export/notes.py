"""What a table tells of species beside their names: a note to read, a page that says more."""

import csv
from pathlib import Path

from fieldguide.catalogue.names import taxon_name
from fieldguide.errors import ExportError
from fieldguide.spreadsheet import plain_cell

NAME = "species"
TOLD = ("notes", "link")
"""Columns, at least one of them."""
ADDRESSES = ("https://", "http://")


def read_notes(path: Path) -> dict[str, dict[str, str]]:
    """By species, what its line says under TOLD; what says nothing is left out.

    A .csv or .tsv with a column NAME; others than TOLD are passed over, so it may be the taxonomy table. Raises
    ExportError naming file, line, what is there and what is expected.
    """
    told: dict[str, dict[str, str]] = {}
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            header = stream.readline()
            stream.seek(0)
            reader = csv.DictReader(stream, delimiter=max(",;\t", key=header.count))
            found = reader.fieldnames or []
            if NAME not in found or not set(TOLD) & set(found):
                raise ExportError(
                    f"{path} line 1: columns {', '.join(found) or 'none'}; expected {NAME} and {' or '.join(TOLD)}"
                )
            for row in reader:
                cells = {key: text for key in TOLD if (text := plain_cell(row.get(key) or "").strip())}
                link = cells.get("link", ADDRESSES[0])
                if not link.startswith(ADDRESSES):
                    raise ExportError(
                        f"{path} line {reader.line_num}: link is {link!r}; expected an address that starts with https://"
                    )
                if cells:
                    told.setdefault(taxon_name(plain_cell(row[NAME] or "")), cells)
    except FileNotFoundError:
        raise ExportError(f"{path} is missing; export_tfjs.species_notes names it") from None
    except UnicodeDecodeError as error:
        raise ExportError(f"{path}: not valid UTF-8 ({error.reason})") from None
    except csv.Error as error:
        raise ExportError(f"{path}: {error}") from None
    return told
