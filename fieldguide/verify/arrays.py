"""Checks what is inside an array of embeddings: that its header and its bytes agree, and that its numbers are ones."""

import io
from typing import Final

import numpy as np

from fieldguide.verify.bytes import PIECE
from fieldguide.verify.findings import Damage
from fieldguide.verify.places import Place

IDS: Final = ".ids.txt"


def check_array(stream: io.BufferedReader, place: Place) -> None:
    """Read a whole .npy [num_rows, ...]. Raises Damage if it is none, holds inf or nan, or misses an id beside it."""
    try:
        version = np.lib.format.read_magic(stream)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(stream)
    except ValueError as error:
        raise Damage(f"not an array: {error}") from None
    num_values, step = 0, max(1, PIECE // dtype.itemsize) * dtype.itemsize
    while content := stream.read(step):
        if len(content) % dtype.itemsize:
            raise Damage("it ends within a number")
        values = np.frombuffer(content, dtype)
        if dtype.kind == "f" and not np.isfinite(values).all():
            raise Damage("it holds numbers that are infinite or none at all")
        num_values += len(values)
    if num_values != int(np.prod(shape)):
        raise Damage(f"it holds {num_values} numbers, its header says {list(shape)}")
    ids = place.folder.child(f"{place.name.removesuffix('.npy')}{IDS}")
    if shape and ids.is_file() and (num_ids := ids.read().count(b"\n")) != shape[0]:
        raise Damage(f"it has {shape[0]} rows, {ids.name} names {num_ids} photos")
