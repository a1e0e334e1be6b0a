"""Holds the tf.train.Example of a record to the manifest, the taxonomy and labels.parquet beside it.

Written against what manifest.json declares, not against the code that writes records: a feature that is new is held to
its type and shape. Where there is no manifest (the shard is somebody else's), only photos are looked for.
"""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fieldguide.records.example import Feature, WireError, parse_example
from fieldguide.verify.findings import Damage
from fieldguide.verify.photos import check_photo, is_photo

IMAGE, NAME, DIGEST, REGION, BOX = (
    "image/encoded",
    "image/filename",
    "image/key/sha256",
    "image/region",
    "image/box",
)


@dataclass
class ExampleCheck:
    """What every record of one shard is held to, in the order of the records."""

    features: Mapping[str, Any] = field(default_factory=dict)
    """`{"dtype", "shape"}` by name, as the manifest declares; empty: a shard of somebody else."""
    has_photos: bool = True
    """False for records of tensors (raw, lab), whose bytes are no photo's."""
    side: int | None = None
    """Of every photo, px."""
    classes: Mapping[str, list[str]] = field(default_factory=dict)
    """Class names by rank, the first of which is also `image/class/label`."""
    rows: list[dict[str, Any]] | None = None
    """Of labels.parquet, for the records of this shard; None: not compared."""
    table_problem: str = ""
    """Where labels.parquet and records first differ."""
    position: int = 0

    def __call__(self, payload: bytes) -> tuple[bytes, int]:
        """The key of one record and the number of photos in it. Raises Damage."""
        try:
            features = parse_example(memoryview(payload))
        except WireError as error:
            if self.features:
                raise Damage(str(error)) from None
            return b"", 0
        key = self._check_ours(features) if self.features else b""
        self.position += 1
        images: list[Any] = []
        if IMAGE in self.features and self.has_photos:
            images = list(features[IMAGE])
        elif self.has_photos:
            images = [value for values in features.values() for value in values[:1] if _is_image(value)]
        for image in images:
            self._check_image(image)
        return key, len(images)

    def _check_ours(self, features: Mapping[str, Feature]) -> bytes:
        for name, spec in self.features.items():
            if not _fits(features.get(name, []), spec["dtype"], math.prod(spec["shape"])):
                raise Damage(f"feature {name!r} is not {spec['dtype']} {spec['shape']}, as the manifest says")
        for number, (rank, names) in enumerate(self.classes.items()):
            for prefix in ("image/class", f"image/class/{rank}") if number == 0 else (f"image/class/{rank}",):
                _check_label(features, prefix, names)
        if DIGEST in features and IMAGE in features:
            (image,), (digest,) = features[IMAGE], features[DIGEST]
            if isinstance(image, bytes) and hashlib.sha256(image).hexdigest().encode() != digest:
                raise Damage(f"{DIGEST} is not that of the photo")
        self._check_box(features)
        filename = features.get(NAME, [b""])[0]
        key = filename.rpartition(b".")[0] if isinstance(filename, bytes) else b""
        if self.rows is not None and not self.table_problem:
            self._compare_row(features, key)
        return key

    def _check_box(self, features: Mapping[str, Feature]) -> None:
        if self.side and BOX in features:
            left, top, right, bottom = features[BOX]
            if not (0 <= left < right <= self.side and 0 <= top < bottom <= self.side):  # type: ignore[operator]
                raise Damage(f"box {list(features[BOX])} is outside {self.side} x {self.side}")

    def _compare_row(self, features: Mapping[str, Feature], key: bytes) -> None:
        assert self.rows is not None
        row = self.rows[self.position] if self.position < len(self.rows) else {}
        record: dict[str, Any] = {"photo_id": key.decode(errors="replace")}
        if REGION in features:
            region = features[REGION][0]
            record["region"] = (region.decode(errors="replace") if isinstance(region, bytes) else "") or None
        for rank in self.classes:
            if label := features.get(f"image/class/{rank}/label"):
                record[rank] = label[0]
        for column, value in record.items():
            if column in row and row[column] != value:
                self.table_problem = (
                    f"{column} of photo {record['photo_id']} is {row[column]!r}, in its record {value!r}"
                )
        if not row:
            self.table_problem = f"photo {record['photo_id']} is not in it"

    def _check_image(self, image: Any) -> None:
        try:
            width, height, is_rgb = check_photo(image)
        except Damage as damage:
            raise Damage(f"the photo does not decode: {damage}") from None
        if self.side and (width, height, is_rgb) != (self.side, self.side, True):
            words = f"{width} x {height} px{'' if is_rgb else ', not RGB'}"
            raise Damage(f"the photo is {words}; expected {self.side} x {self.side} px, RGB")


def _fits(values: Sequence[Any], dtype: str, count: int) -> bool:
    """Whether these are `count` values of `dtype`: listed one by one, or the bytes of a tensor as one value."""
    if dtype != "bytes" and len(values) == 1 and isinstance(values[0], bytes):
        return len(values[0]) == count * np.dtype(dtype).itemsize
    kind = bytes if dtype == "bytes" else int if dtype.startswith(("int", "uint")) else float
    return len(values) == count and (not values or type(values[0]) is kind)


def _check_label(features: Mapping[str, Feature], prefix: str, names: list[str]) -> None:
    label, text = features.get(f"{prefix}/label"), features.get(f"{prefix}/text")
    if label is None:
        return
    index = label[0]
    if not isinstance(index, int) or not 0 <= index < len(names):
        raise Damage(f"{prefix}/label {index!r} is not among the {len(names)} classes of the taxonomy")
    if text is not None and text[0] != names[index].encode():
        raise Damage(f"{prefix}/text is {text[0]!r}, class {index} of the taxonomy is {names[index]!r}")


def _is_image(value: object) -> bool:
    return isinstance(value, bytes) and is_photo(value)
