"""A tiny flora as the resize and split stages would leave it: noise photos in tars, a taxonomy of four species."""

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from fieldguide.catalogue.taxonomy import Taxonomy
from fieldguide.engine import EngineParams
from fieldguide.images.geometry import Method
from fieldguide.records.manifest import SquareManifest, SquareStyle
from fieldguide.tar import TarShardWriter

SIDE = 32
SPECIES = {"Aster alpinus": "Aster", "Aster bellus": "Aster", "Linum album": "Linum", "Linum nudum": "Linum"}
STYLE = SquareStyle(size=SIDE, method=Method.PAD, pad_color=(255, 255, 255), quality=90)
ENGINE = EngineParams(backend="loky", workers=1)
TAXONOMY = Taxonomy(
    ranks=["species", "genus"],
    classes={"species": ["other", *SPECIES], "genus": ["other", "Aster", "Linum"]},
    parents={"species": {name: {"genus": genus} for name, genus in SPECIES.items()}, "genus": {}},
    merged_into_other={"Aster rarus": {"genus": "Aster"}},
    vernacular={"Linum album": "white flax"},
    vernaculars={"de": {"Linum album": "Weißer Lein"}},
    regions={"north": ["other", "Aster alpinus", "Linum album"]},
)


def tfrecord_section(**changes: Any) -> dict[str, Any]:
    """The section of the tfrecord stage as params.yaml would hold it."""
    return {
        "kind": "image",
        "raw": {"dtype": "uint8", "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]},
        "compression": "none",
        "records_per_shard": 64,
        "shard_mb": None,
        "min_shards": 1,
        "shuffle_memory_mb": 64,
        "salt": "salt",
        "engine": {"backend": "loky", "workers": 1},
        **changes,
    }


def make_photo(number: int) -> tuple[str, bytes, dict[str, object]]:
    """Photo id, JPEG and description of the photo with that number; every sixth is of a bundled species."""
    photo_id = hashlib.sha256(f"photo {number}".encode()).hexdigest()[:16]
    species = ["other", *SPECIES, "Linum nudum"][number % 6]
    genus = SPECIES.get(species, "Aster")
    # A plain patch whose brightness tells the species, so that a network has something to learn.
    patch = np.random.default_rng(number).integers(0, 25, (SIDE, SIDE, 3)) + 40 * TAXONOMY.index("species")[species]
    stream = io.BytesIO()
    Image.fromarray(patch.astype(np.uint8)).save(stream, "JPEG", quality=90)
    image = stream.getvalue()
    description: dict[str, object] = {
        "photo_id": photo_id,
        "sha256": hashlib.sha256(image).hexdigest(),
        "labels": {"species": species, "genus": genus},
        "region": [None, "north", "south"][number % 3],
        "source_size": [320, 240],
        "box": [0, 4, SIDE, SIDE - 4],
    }
    return photo_id, image, description


def make_resized(directory: Path, counts: dict[str, int], photos_per_shard: int = 16) -> Path:
    """Fill `directory` with what the resize stage leaves, and taxonomy.json of the split stage; return it."""
    number, num_photos = 0, dict[str, int]()
    for split, count in counts.items():
        for shard in range(-(-count // photos_per_shard)):
            name, size = f"{split}-{shard:05d}.tar", min(photos_per_shard, count - shard * photos_per_shard)
            num_photos[name] = size
            with TarShardWriter(directory / name) as tar:
                for _ in range(size):
                    photo_id, image, description = make_photo(number)
                    tar.add(f"{photo_id}.jpg", image)
                    tar.add(f"{photo_id}.json", json.dumps(description).encode())
                    number += 1
    TAXONOMY.write(directory / "taxonomy.json")
    SquareManifest(style=STYLE, num_photos=num_photos).write(directory)
    return directory
