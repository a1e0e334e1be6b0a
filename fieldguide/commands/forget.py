"""Forget photos: they and their copies are dropped by clean from now on, copies that come in later included.

WHAT is a photo, as `why` takes it (id, SHA-256, URL, source row, file), or the name of an observer or a rights holder.
A name that no row has, or not any more, is written as observer:NAME or rights_holder:NAME. What is known of the photos
(id, digest, URL, fingerprint) goes into forgotten.csv, people as digests of their names. Then it is said what still
holds the photos, and what removes them from there.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from fieldguide.catalogue.rows import SCHEME, locate
from fieldguide.clean.forgotten import FORGOTTEN_LIST, Line, read_forgotten, write_forgotten
from fieldguide.commands.holdings import describe_holdings
from fieldguide.commands.summary import as_text
from fieldguide.commands.why import CATALOGUE, PHOTO_ID, SHA256, VERDICTS, meant_by
from fieldguide.errors import CatalogueError
from fieldguide.fetch.reading import Location, Originals
from fieldguide.files import file_sha256
from fieldguide.images.decode import inspect
from fieldguide.images.fingerprints import fingerprint

PEOPLE = ("observer", "rights_holder")
OF_A_PHOTO = {"photo_id": "photo_id", "bytes": "sha256", "url": "url"}
"""Kinds of lines, and the column of the catalogue that each is made of."""
MAX_PIXELS = 200_000_000
SEEN = ("duplicate_of", "cluster_id")

NEXT = (
    ("git commit forgotten.csv", "every later run, and every other clone, honours the list"),
    ("dvc repro", "makes everything anew without them; models are trained again"),
    ("dvc gc --workspace", "removes earlier versions from .dvc/cache; --cloud those of the remote as well"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to forget."""
    parser.add_argument("what", nargs="+", metavar="WHAT", help="photo, observer or rights holder")


def run(arguments: argparse.Namespace) -> None:
    """Extend the list; say how much is forgotten, what still holds it and what to do next."""
    photos, num_named, num_lines = forget(arguments.what)
    copies = len(photos) - num_named
    print(f"{FORGOTTEN_LIST}: {num_lines} lines more; {num_named} photos of the catalogue and {copies} copies of them")
    if holdings := list(describe_holdings(photos)):
        print(f"\nStill held by\n{as_text(holdings)}")
    print(f"\nNext\n{as_text(NEXT)}")


def forget(queries: list[str], root: Path = Path()) -> tuple[pl.DataFrame, int, int]:
    """Write the list; return the rows of the catalogue that it now speaks of, how many of them `queries` name
    themselves, and how many lines are new.

    The rest are copies of these. Raises CatalogueError, and changes nothing, if it is not clear what a query means.
    """
    has_catalogue = (root / CATALOGUE).exists()
    catalogue = pl.read_parquet(root / CATALOGUE) if has_catalogue else None
    lines: set[Line] = set()
    named: set[str] = set()
    for query in queries:
        own, ids = _understand(query, catalogue, root)
        lines |= own
        named |= ids
    photos = pl.DataFrame(schema={"photo_id": pl.String})
    if catalogue is not None:
        photos = catalogue.filter(pl.col("photo_id").is_in(sorted(named | _find_copies(named, root))))
        lines |= set(_describe(photos, root))
    before = read_forgotten(root / FORGOTTEN_LIST).lines
    write_forgotten(root / FORGOTTEN_LIST, before | lines)
    return photos, len(named), len(lines - before)


def _understand(query: str, catalogue: pl.DataFrame | None, root: Path) -> tuple[set[Line], set[str]]:
    """The lines that a query itself makes, and the ids of the photos that it names."""
    kind, _, name = query.partition(":")
    if kind in PEOPLE:
        people = {kind: name.strip()}
        if not people[kind]:
            raise CatalogueError(f"{query!r} names nobody; expected {kind}:NAME")
    else:
        people = dict.fromkeys(PEOPLE, query)
        if catalogue is not None and len(rows := catalogue.filter(meant_by(query, root))):
            return set(), set(rows["photo_id"])
    ids: set[str] = set()
    lines: set[Line] = set()
    for column, person in people.items():
        is_theirs = pl.col(column).str.to_lowercase() == person.lower()
        theirs: list[str] = [] if catalogue is None else catalogue.filter(is_theirs)["photo_id"].to_list()
        if theirs or kind in PEOPLE:
            lines.add(Line.of(column, person))
            ids.update(theirs)
    return (lines, ids) if lines else (set(_recognise(query, root)), set())


def _recognise(query: str, root: Path) -> Iterator[Line]:
    """The lines for a photo that the catalogue does not know, or not any more."""
    if PHOTO_ID.fullmatch(query):
        yield Line.of("photo_id", query)
        yield from _past_fingerprints(query, root)
    elif SHA256.fullmatch(query):
        yield Line.of("bytes", query)
    elif (root / query).is_file():
        yield Line.of("bytes", file_sha256(root / query))
        yield from _fingerprint_of((root / query).read_bytes())
    elif SCHEME.match(query):
        for folder in (Path(), Path("data")):
            yield Line.of("url", locate(query, folder)[0])
    else:
        raise CatalogueError(
            f"nothing is known of {query!r}; expected a photo id, a SHA-256, a URL, a source row, a file, or a name in "
            "the catalogue; a name that is not there is written as observer:NAME or rights_holder:NAME"
        )


def _past_fingerprints(photo_id: str, root: Path) -> Iterator[Line]:
    """What an earlier run of clean knew of a photo whose row is gone since."""
    if (root / VERDICTS).exists():
        rows = pl.scan_parquet(root / VERDICTS).filter(pl.col("photo_id") == photo_id).collect()
        yield from (Line("fingerprint", bits.hex()) for bits in rows["fingerprint"].drop_nulls())


def _find_copies(named: set[str], root: Path) -> set[str]:
    """The ids of all photos that show, as far as clean found out, the picture of one of `named`."""
    if not (root / VERDICTS).exists():
        return set()
    verdicts = pl.read_parquet(root / VERDICTS, columns=["photo_id", *SEEN])
    ids = pl.Series(sorted(named), dtype=pl.String)
    while True:
        pictures = verdicts.filter(pl.col("photo_id").is_in(ids.implode())).select("photo_id", *SEEN)
        known = pl.concat([pictures[column] for column in ("photo_id", *SEEN)]).drop_nulls().unique().implode()
        is_same = pl.any_horizontal(pl.col(column).is_in(known) for column in ("photo_id", *SEEN))
        found = verdicts.filter(is_same)["photo_id"]
        if set(found) == set(ids):
            return set(found)
        ids = found


def _describe(photos: pl.DataFrame, root: Path) -> Iterator[Line]:
    """All by which photos of the catalogue are recognised."""
    for kind, column in OF_A_PHOTO.items():
        yield from (Line.of(kind, value) for value in photos[column].drop_nulls())
    known: dict[str, bytes | None] = {}
    if (root / VERDICTS).exists():
        known = dict(pl.read_parquet(root / VERDICTS, columns=["photo_id", "fingerprint"]).iter_rows())
    originals = Originals(root / CATALOGUE.parent)
    for photo_id, *place in photos.select("photo_id", "shard", "offset", "num_bytes").iter_rows():
        if bits := known.get(photo_id):
            yield Line("fingerprint", bits.hex())
        elif place[0] is not None and photo_id not in known:
            (content,) = originals.read([Location(*place)])
            yield from _fingerprint_of(content or b"")


def _fingerprint_of(content: bytes) -> Iterator[Line]:
    image = inspect(content, min_side=1, max_pixels=MAX_PIXELS).image
    if image and (bits := fingerprint(image)):
        yield Line("fingerprint", bits.hex())
