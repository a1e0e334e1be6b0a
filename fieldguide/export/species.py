"""species.json: what the page tells of each species beside its names, and the photos that show it (docs/formats.md)."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fieldguide.catalogue.taxonomy import OTHER
from fieldguide.export.centres import Centres
from fieldguide.export.credits import may_pass_on, read_credits
from fieldguide.export.look_alikes import find_look_alikes, nearest_classes, read_mix_ups
from fieldguide.export.references import ReferencePhoto, collect_photos, rank_photos
from fieldguide.files import write_json, written_whole
from fieldguide.learn.embedded import read_embeddings
from fieldguide.records.reader import RecordSet

SPECIES_FILE = "species.json"


def write_species(
    bundle: Path,
    species: Sequence[str],
    train: RecordSet,
    *,
    embed: Path | None,
    catalogue: Path,
    mix_ups: Path,
    notes: Mapping[str, Mapping[str, str]],
    max_megabytes: float,
) -> None:
    """Write species.json and the reference photos that it names, of at most `max_megabytes` together, into `bundle`.

    `species` are the student's classes at the first rank. Without `embed`, the embeddings of the records, there are no
    photos, and look-alikes are only those of `mix_ups`, which the evaluation wrote. `notes` tells more by name
    (notes.py). Raises RecordError or ExportError.
    """
    names = [name for name in species if name != OTHER]
    wanted = set(names)
    known = train.taxonomy.classes[train.taxonomy.ranks[0]]
    labels = train.labels(train.taxonomy.ranks[0])
    counts = dict(zip(known, np.bincount(labels, minlength=len(known)).tolist(), strict=True))
    near: dict[str, list[str]] = {}
    photos: dict[str, list[ReferencePhoto]] = {}
    if embed is not None and len(train):
        embeddings = read_embeddings(embed, train)
        centres = Centres.of(embeddings, labels, len(known))
        places = [place for place, name in enumerate(known) if name in wanted]
        near = nearest_classes([known[place] for place in places], centres.vectors[places])
        credits = _credits_to_pass_on(catalogue, train) if max_megabytes else {}
        allowed = np.array([photo_id in credits for photo_id in train.photo_ids], bool)
        ranked = dict(zip(known, rank_photos(embeddings, centres, labels, allowed), strict=True))
        # Where not all get one, those come first that people meet most.
        first = sorted((name for name in names if ranked.get(name)), key=lambda name: (-counts[name], name))
        photos = collect_photos(train, {name: ranked[name] for name in first}, credits, 1e6 * max_megabytes)
    alike = find_look_alikes(names, read_mix_ups(mix_ups), near)
    for photo in (photo for shown in photos.values() for photo in shown):
        with written_whole(bundle / photo.file) as temporary:
            temporary.write_bytes(photo.content)
    write_json(
        bundle / SPECIES_FILE,
        {
            name: _sheet(counts.get(name, 0), alike[name], photos.get(name, [])) | dict(notes.get(name, {}))
            for name in names
        },
    )


def _credits_to_pass_on(catalogue: Path, records: RecordSet) -> dict[str, tuple[str, str | None]]:
    """Licence and rights holder, by photo id, of the photos that the bundle may carry."""
    rows = read_credits(catalogue, records.photo_ids).iter_rows(named=True)
    credits = {row["photo_id"]: (row["licence"], row["rights_holder"]) for row in rows}
    return {photo_id: credit for photo_id, credit in credits.items() if may_pass_on(*credit)}


def _sheet(num_photos: int, alike: dict[str, int], photos: Sequence[ReferencePhoto]) -> dict[str, Any]:
    credited = [{"file": each.file, "licence": each.licence, "rights_holder": each.rights_holder} for each in photos]
    return {"num_photos": num_photos, "look_alikes": alike, "photos": credited}
