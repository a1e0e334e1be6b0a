"""Write the rows of the sources of params.yaml as JSONL, and print what licences they come under."""

import argparse
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from fieldguide.catalogue.declared import read_sources
from fieldguide.catalogue.licences import licence_kind, normalise_licence
from fieldguide.catalogue.rows import Source
from fieldguide.commands.summary import Line, as_text
from fieldguide.errors import FieldguideError
from fieldguide.files import written_whole


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The file to write and the sources to write."""
    parser.add_argument("out", type=Path, help="the .jsonl to write")
    parser.add_argument("source", nargs="*", help="names of sources; all of them if there is none")


def run(arguments: argparse.Namespace) -> None:
    """Write the rows. Raises FieldguideError for a source that params.yaml lacks."""
    sources = read_sources()
    for name in arguments.source:
        if name not in sources:
            raise FieldguideError(f"no source {name!r}; expected one of {', '.join(sources)}")
    print(as_text(export_rows({name: sources[name] for name in arguments.source or sources}, arguments.out)))


def export_rows(sources: Mapping[str, Source], out: Path) -> list[Line]:
    """Write every row of `sources` as a line of JSON, for an `observations` source, and count licences.

    The names in it are those of docs/formats.md, with the licence as the source writes it; what is unknown is left out.
    """
    licences: Counter[str] = Counter()
    with written_whole(out) as temporary, temporary.open("w", encoding="utf-8") as stream:
        for name, source in sources.items():
            for row in source.rows():
                licences[normalise_licence(row.licence)] += 1
                cells = {"source": name, **{key: value for key, value in asdict(row).items() if value is not None}}
                stream.write(json.dumps(cells, ensure_ascii=False) + "\n")
    total = licences.total()
    shares = [
        (licence, f"{count:,} ({count / total:.1%}), {licence_kind(licence)}")
        for licence, count in licences.most_common()
    ]
    return [("rows", f"{total:,}"), *shares]
