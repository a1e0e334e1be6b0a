"""Files of the bundle that travel as gzip: a host compresses texts at best, and most of a guide are weights.

zopfli packs them, because its bytes depend on the package alone, which uv.lock names; zlib's depend on the machine.
"""

import gzip
from pathlib import Path
from typing import Final

import zopfli.gzip

from fieldguide.errors import ExportError
from fieldguide.files import written_whole

PACKED: Final = ".gzip"
"""Not .gz, which some servers send as an encoding, so that browsers unpack it before its digest is compared."""

KINDS = (".bin", ".wasm")


def pack_files(bundle: Path) -> None:
    """Put `NAME.gzip` in the place of every file of `bundle` that is no text. Raises ExportError where it differs."""
    for file in sorted(file for file in bundle.rglob("*") if file.suffix in KINDS):
        content = file.read_bytes()
        packed = zopfli.gzip.compress(content, numiterations=5)  # more save less than a thousandth
        if gzip.decompress(packed) != content:
            raise ExportError(f"{file} is not what comes out of {file.name}{PACKED}; expected the same bytes")
        with written_whole(file.with_name(file.name + PACKED)) as temporary:
            temporary.write_bytes(packed)
        file.unlink()
