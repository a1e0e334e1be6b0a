"""A guide of as many species as one likes: drawn names and photos, a network of random weights, the project's export.

    python -m benchmarks.page_classes_guide FOLDER

exports what `make_inputs` left in FOLDER, for whoever measures that.
"""

import hashlib
import io
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from PIL import Image

from benchmarks.reader_photos import draw_photo
from fieldguide.catalogue.taxonomy import OTHER, Taxonomy
from fieldguide.engine import run_isolated
from fieldguide.evaluate.prior import Occasions, count_occasions
from fieldguide.evaluate.prior_file import write_prior
from fieldguide.evaluate.rules import Rule, Rules, Situation
from fieldguide.export.params import ExportTfjsParams
from fieldguide.files import write_json
from fieldguide.images.geometry import Method
from fieldguide.learn.embed_files import features_path, ids_path
from fieldguide.presets import expand, load_overlay
from fieldguide.records.manifest import SquareManifest, SquareStyle
from fieldguide.records.params import TfrecordParams
from fieldguide.records.reader import RecordSet
from fieldguide.tar import TarShardWriter
from stages.export_tfjs import export_tfjs
from stages.tfrecord import tfrecord

SAMPLE = expand(load_overlay("sample"))
SIDE = 224
STYLE = SquareStyle(size=SIDE, method=Method.PAD, pad_color=(255, 255, 255), quality=85)
RANKS = ["species", "genus", "family"]
NUM_TEST, NUM_VAL = 16, 2
GENUS_SIZE, FAMILY_SIZE = 4, 8
"""Species of a genus and genera of a family, on average."""
NAMED_SHARE = 0.7
"""Of the species, that have a vernacular name."""
PHOTO_SHARDS = 1024
OCCASIONS = 40
"""Photos of each species of known place and month."""
LARGEST = 100
"""MB that a bundle of these may take."""

ONSETS = "b c d f g l m n p r s t v st tr pl cr gr br ph ch sc"
VOWELS = "a e i o u ae io"
CODAS = "l n r s x m nt ll rr"
ENGLISH = "common lesser great alpine field wood marsh spotted red blue white yellow hairy dwarf early late"
THINGS = "wing bell foot crown leaf star moth thistle cap eye tail bloom wort fern fly lily"


def draw_taxonomy(num_species: int, seed: int) -> Taxonomy:
    """Species with genera and families, and names in English and German for most of them."""
    rng = np.random.default_rng(seed)
    num_genera = -(-num_species // GENUS_SIZE)
    families = [f"{stem.capitalize()}aceae" for stem in _draw_words(rng, -(-num_genera // FAMILY_SIZE), 3)]
    genera = [f"{stem.capitalize()}{rng.choice(['a', 'us', 'um', 'ia'])}" for stem in _draw_words(rng, num_genera, 2)]
    above = {genus: families[place % len(families)] for place, genus in enumerate(genera)}
    epithets = _draw_words(rng, num_species, 3)
    species = {
        f"{genera[place % num_genera]} {word}is": genera[place % num_genera] for place, word in enumerate(epithets)
    }
    named = [name for name in sorted(species) if rng.random() < NAMED_SHARE]
    english = {name: f"{_pick(rng, ENGLISH)} {word}{_pick(rng, THINGS)}" for name, word in _named(named, rng)}
    german = {name: f"{word.capitalize()}kraut" for name, word in _named(named, rng)}
    ranked = (species, genera, families)
    return Taxonomy(
        ranks=RANKS,
        classes={rank: [OTHER, *sorted(set(names))] for rank, names in zip(RANKS, ranked, strict=True)},
        parents={
            "species": {name: {"genus": genus, "family": above[genus]} for name, genus in sorted(species.items())},
            "genus": {genus: {"family": family} for genus, family in sorted(above.items())},
            "family": {},
        },
        merged_into_other={},
        vernacular=english,
        vernaculars={"de": german},
        regions={"here": sorted(species)},
    )


def _named(names: Sequence[str], rng: np.random.Generator) -> Iterator[tuple[str, str]]:
    return zip(names, _draw_words(rng, len(names), 2), strict=True)


def _draw_words(rng: np.random.Generator, count: int, num_syllables: int) -> list[str]:
    """Different words, as Latin ones sound."""

    def draw() -> Iterator[str]:
        while True:
            yield "".join(_pick(rng, ONSETS) + _pick(rng, VOWELS) for _ in range(num_syllables)) + _pick(rng, CODAS)

    found = dict.fromkeys(islice(draw(), count))
    for word in draw():
        if len(found) >= count:
            break
        found[word] = None
    return list(found)


def _pick(rng: np.random.Generator, words: str) -> str:
    return str(rng.choice(words.split()))


def make_inputs(root: Path, num_species: int, seed: int = 1) -> None:
    """Write all that export-tfjs reads into folders below `root`, as export_folder finds it."""
    taxonomy = draw_taxonomy(num_species, seed)
    folders = {name: root / name for name in ("resize", "fetch", "split", "evaluate", "embed")}
    for folder in folders.values():
        folder.mkdir(parents=True)
    species = taxonomy.classes["species"][1:]
    labels = [*species, *islice(cycle(species), NUM_TEST + NUM_VAL)]
    splits = ["train"] * num_species + ["test"] * NUM_TEST + ["val"] * NUM_VAL
    ids = _write_squares(folders["resize"], taxonomy, labels, splits)
    taxonomy.write(folders["split"] / "taxonomy.json")
    pl.DataFrame({"photo_id": ids, "split": splits}).write_parquet(folders["split"] / "split.parquet")
    holder = pl.Series([f"Observer {number % 500}" for number in range(len(ids))])
    credits = {"photo_id": ids, "licence": "CC-BY-4.0", "rights_holder": holder, "observer": holder}
    pl.DataFrame(credits).write_parquet(folders["fetch"] / "catalogue.parquet")
    section = TfrecordParams.model_validate(SAMPLE["tfrecord"])
    run_isolated(tfrecord, section, resize=folders["resize"], split=folders["split"], out=root / "tfrecord")
    run_isolated(make_student, root / "student", taxonomy, seed)
    _write_evaluation(folders["evaluate"], taxonomy, seed)
    _write_embeddings(folders["embed"], RecordSet.open(root / "tfrecord", "train"), seed)


def _write_squares(folder: Path, taxonomy: Taxonomy, labels: Sequence[str], splits: Sequence[str]) -> list[str]:
    """Tars of squares as the resize stage writes them; the photos' ids."""
    ids, num_photos = [], dict[str, int]()
    pictures = [np.asarray(draw_photo(number).resize((SIDE, SIDE))) for number in range(32)]
    for split in ("train", "val", "test"):
        of_split = [number for number, own in enumerate(splits) if own == split]
        for start in range(0, len(of_split), PHOTO_SHARDS):
            name, numbers = f"{split}-{start // PHOTO_SHARDS:05d}.tar", of_split[start : start + PHOTO_SHARDS]
            num_photos[name] = len(numbers)
            with TarShardWriter(folder / name) as tar:
                for number in numbers:
                    _add_photo(tar, pictures, number, labels[number], taxonomy)
    ids = [_photo_id(number) for number in range(len(labels))]
    taxonomy.write(folder / "taxonomy.json")
    SquareManifest(style=STYLE, num_photos=num_photos).write(folder)
    return ids


def _photo_id(number: int) -> str:
    return hashlib.sha256(f"photo {number}".encode()).hexdigest()[:16]


def _add_photo(
    tar: TarShardWriter, pictures: Sequence[np.ndarray], number: int, label: str, taxonomy: Taxonomy
) -> None:
    rolled = np.roll(pictures[number % len(pictures)], (7 * number, 13 * number), axis=(0, 1))
    stream = io.BytesIO()
    Image.fromarray(rolled).save(stream, "JPEG", quality=STYLE.quality)
    image, photo_id = stream.getvalue(), _photo_id(number)
    described = {
        "photo_id": photo_id,
        "sha256": hashlib.sha256(image).hexdigest(),
        "labels": {"species": label, **taxonomy.parents["species"][label]},
        "region": "here",
        "source_size": [640, 640],
        "box": [0, 0, SIDE, SIDE],
    }
    tar.add(f"{photo_id}.jpg", image)
    tar.add(f"{photo_id}.json", json.dumps(described).encode())


def make_student(folder: Path, taxonomy: Taxonomy, seed: int) -> None:
    """mobilenetv2_100 of random weights, whose answers differ. Isolate this."""
    from fieldguide.learn.network import build_network, save_network
    from fieldguide.learn.params import BackboneParams
    from tests.export.making import LOOKS, stir

    section = {"architecture": "mobilenetv2_100", "architecture_args": {}, "image_size": SIDE, **LOOKS}
    backbone = BackboneParams.model_validate(section)
    network = build_network(backbone, ranks=taxonomy.ranks, classes=taxonomy.classes, region=None, seed=seed)
    stir(network.module)
    folder.mkdir(parents=True)
    save_network(network, folder)


def _write_evaluation(folder: Path, taxonomy: Taxonomy, seed: int) -> None:
    """A calibration by which a species is always named, and place and season of photos around each one's home."""
    rule = Rule(thresholds=dict.fromkeys(taxonomy.ranks, 0.0), set_limit=0.9, num_chosen_by=500)
    rules = Rules(measured={Situation.ONE: rule, Situation.ONE_PLACED: rule}, fallback=rule).model_dump(mode="json")
    temperatures = dict.fromkeys(taxonomy.ranks, 0.02)
    told = {"temperatures": temperatures, "rules": rules, "max_error": 0.1, "set_target": 0.9, "fusion_exponent": 0.5}
    write_json(folder / "calibration.json", {"student": told})
    rng = np.random.default_rng(seed)
    num_classes = len(taxonomy.classes["species"])
    labels = np.repeat(np.arange(1, num_classes), OCCASIONS)
    homes = np.column_stack([rng.uniform(-50, 65, num_classes), rng.uniform(-170, 170, num_classes)])
    places = np.floor(homes[labels] + rng.normal(0, 4, (len(labels), 2))) + 0.5
    season = (rng.integers(0, 12, num_classes)[labels] + np.round(rng.normal(0, 1.5, len(labels)))) % 12 + 1
    occasions, max_bytes = Occasions(places[:, 0], places[:, 1], season), 1e3 * SAMPLE["evaluate"]["max_prior_kb"]
    prior = count_occasions(labels, occasions, num_classes, max_bytes)
    write_prior(replace(prior, spread=2.0, strength=0.5), "species", folder / "models" / "student")


def _write_embeddings(folder: Path, train: RecordSet, seed: int) -> None:
    """Those of one genus are alike."""
    rng = np.random.default_rng(seed)
    genera = train.labels("genus")
    centres = rng.normal(size=(genera.max() + 1, 192))
    features = centres[genera] + rng.normal(size=(len(genera), 192))
    ids_path(folder, "train").write_text("\n".join(train.photo_ids))
    np.save(features_path(folder, "train"), features.astype(np.float16))


def export_folder(root: Path) -> dict[str, Any]:
    """Export what `make_inputs` left in `root` to `root`/bundle, as the sample's params say but for the bounds."""
    section = SAMPLE["export_tfjs"]
    own = {"num_quantization_photos": NUM_TEST, "num_parity_photos": NUM_TEST, "max_bundle_mb": LARGEST}
    limits = {name: {"min_top1_agreement": 0.0, "max_logit_error": 10.0} for name in section["limits"]}
    params = ExportTfjsParams.model_validate(section | own | {"limits": limits, "species_notes": None})
    folders = ("student", "fetch", "split", "tfrecord", "evaluate", "embed", "out", "bundle")
    return export_tfjs(params, **{name: root / name for name in folders})


if __name__ == "__main__":
    print(json.dumps(export_folder(Path(sys.argv[1]))))
