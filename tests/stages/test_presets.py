"""Presets of benchmarks on a small input of their real format, at the paths they name, from fetch to embed."""

import io
import json
import sqlite3
from collections import Counter
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import webdataset
from PIL import Image
from skimage.color import rgb2lab

from fieldguide.catalogue.declared import write_source_taxonomy
from fieldguide.catalogue.schema import photo_id
from fieldguide.records.example import parse_example
from fieldguide.records.manifest import Manifest
from fieldguide.records.reader import RecordSet
from fieldguide.records.shard_file import iterate_payloads
from tests.images.pictures import blotches, encode
from tests.learn.making import backbone_section
from tests.photo_server import PhotoServer
from tests.stages.presetting import Made, make, make_records, picture, preset, write_csv, write_tar

pytestmark = pytest.mark.slow


WHITE = 250
"""JPEG leaves white padding at least so bright."""


def challenge(ids: range, photos: dict[str, bytes]) -> dict[str, Any]:
    """A challenge's JSON about new photos, which are added to `photos`."""
    names = ["Parus major", "Bellis perennis", "Bellis annua"]
    groups = ["Aves", "Plantae", "Plantae"]
    files = {number: f"train_val_images/{groups[number % 3]}/{names[number % 3]}/{number:032x}.jpg" for number in ids}
    photos |= {file: picture(number, 96, 64) for number, file in files.items()}
    return {
        "info": {"year": 2017},
        "images": [
            {
                "id": number,
                "file_name": file,
                "license": 1 + number % 2,
                "rights_holder": "Ada",
                "width": 96,
                "height": 64,
            }
            for number, file in files.items()
        ],
        "categories": [
            {"id": number, "name": name, "supercategory": group}
            for number, (name, group) in enumerate(zip(names, groups, strict=True))
        ],
        "annotations": [
            {"id": 2 * number + box, "image_id": number, "category_id": number % 3, "bbox": [box, 0, 9, 9]}
            for number in ids
            for box in range(1 + number % 2)
        ],
        "licenses": [
            {"id": 1, "name": "Attribution", "url": "http://creativecommons.org/licenses/by/4.0/"},
            {"id": 2, "name": "NC", "url": "http://creativecommons.org/licenses/by-nc/4.0/"},
        ],
    }


def test_inat2017(workspace: Path) -> None:
    photos: dict[str, bytes] = {}
    for name, ids in (("train", range(60)), ("val", range(60, 84))):
        (workspace / "data" / f"{name}2017.json").write_text(json.dumps(challenge(ids, photos)))
    large = f"train_val_images/Aves/Parus major/{0:032x}.jpg"
    photos[large] = picture(0, 800, 600)
    write_tar(workspace / "data" / "train_val_images.tar", photos)
    assert write_source_taxonomy(Path("data/taxonomy.csv"), preset("inat2017", workspace)) == 3

    made = make("inat2017", workspace)
    assert made.photos.group_by("source", "given_split").len().sort("len").rows() == [
        ("val", "val", 24), ("train", "train", 60),
    ]  # fmt: skip
    assert set(made.used["licence"]) == {"CC-BY-4.0", "CC-BY-NC-4.0"}
    assert made.cleaned["num_kept"] == len(made.used) == 84
    # The challenge's val stays; its test photos have no labels, so some of train take their place.
    divided = made.used.group_by("given_split", "split").len()
    assert set(divided.select("given_split", "split").rows()) == {("train", "train"), ("train", "test"), ("val", "val")}
    assert made.taxonomy.classes == {
        "species": ["other", "Bellis annua", "Bellis perennis", "Parus major"],
        "group": ["other", "Aves", "Plantae"],
    }
    assert made.taxonomy.parents["species"]["Bellis annua"] == {"group": "Plantae"}
    made.assert_nothing_leaks()
    # Originals are shrunk and lie in the cache alone.
    first = made.photos.filter(pl.col("url") == f"tar://{large}::data/train_val_images.tar")
    assert first["width", "height"].rows() == [(512, 384)]
    assert not list((workspace / "fetch" / "shards").iterdir())
    for pixels, facts in made.squares("test"):
        assert pixels.shape == (256, 256, 3)
        assert facts["box"][2] - facts["box"][0] == 256
        assert pixels[:16].min() >= WHITE
    assert_recorded_and_embedded(made)
    # Boxes of the annotations wait in the catalogue; several are one around all.
    boxes = dict(made.photos.select("source_row", "box").rows())
    assert sorted({tuple(box[:4]) for box in boxes.values() if box}) == [(0, 0, 9, 9), (0, 0, 10, 9)]


def assert_recorded_and_embedded(made: Made) -> None:
    """Go on to records and embeddings: every photo once, with its labels, region and box, and a row beside it."""
    make_records(made.folder, embed={"backbone": backbone_section(), "batch_size": 8, "workers": 0})
    for split in Manifest.read(made.folder / "tfrecord").splits:
        records = RecordSet.open(made.folder / "tfrecord", split)
        told = {row["photo_id"]: row for row in made.used.filter(pl.col("split") == split).iter_rows(named=True)}
        squares = {facts["photo_id"]: (pixels, facts) for pixels, facts in made.squares(split)}
        assert sorted(records.photo_ids) == sorted(told)
        for record in records:
            row, (pixels, facts) = told[record.photo_id], squares[record.photo_id]
            names = {rank: made.taxonomy.classes[rank][label] for rank, label in record.labels.items()}
            assert names == {rank: row[rank] for rank in made.taxonomy.ranks}
            assert list(record.box) == facts["box"]
            assert np.array_equal(np.asarray(Image.open(io.BytesIO(record.image))), pixels)
        features = np.load(made.folder / "embed" / f"{split}.npy")
        assert len(features) == len(records)
        assert np.isfinite(features).all()


def test_colorization(workspace: Path, server: PhotoServer) -> None:
    server.files |= {f"{number}.jpg": picture(number, 400, 300) for number in range(30)}
    server.files |= {
        "no-suffix": picture(100, 40, 80),
        "photo.png": encode(blotches(101, 400, 400), "PNG"),
        "photo.JPEG?w=640": picture(102, 640, 480),
    }
    urls = [server.url(f"file/{name}") for name in server.files]
    server.files["thumbnail.jpg"] = encode(blotches(5, 400, 300).resize((200, 150)))
    thumbnail = server.url("file/thumbnail.jpg")
    gone = server.url("404/gone.jpg")
    lines = ["# Photo by Ada", thumbnail, urls[0], "", f"n01234_5 {urls[1]}", *urls[2:], urls[3], gone]
    (workspace / "data" / "urls.txt").write_text("\n".join(lines) + "\n")
    made = make("colorization", workspace, allow_private=True)
    assert made.photos["url"].to_list() == [thumbnail, *urls, gone]
    # The larger of two near-duplicates is kept.
    assert made.used["url"].to_list() == urls
    assert set(made.used["licence"]) == {"unknown"}
    assert made.taxonomy.classes == {"species": ["other"]}
    num_photos = made.divided["num_photos"]
    # A photo's split follows from its URL, and so from the server's port: how many val has is chance, and may be none.
    assert num_photos["test"] == 0
    assert num_photos["train"] > num_photos["val"]
    made.assert_nothing_leaks()
    boxes = Counter()
    for pixels, facts in made.squares("train") + made.squares("val"):
        assert pixels.shape == (299, 299, 3)
        left, top, right, bottom = facts["box"]
        assert pixels[: max(0, top - 8)].min(initial=255) >= WHITE
        assert pixels[:, : max(0, left - 8)].min(initial=255) >= WHITE
        boxes[right - left, bottom - top] += 1
    # Landscapes, the square and the small portrait, which is enlarged.
    assert boxes == {(299, 224): 31, (299, 299): 1, (150, 299): 1}
    make_records(workspace, embed={"backbone": backbone_section(), "batch_size": 8, "workers": 0})
    manifest = Manifest.read(workspace / "embed/fused")
    [dim] = manifest.features["image_embedding"].shape
    for split, prefix in (("train", ""), ("val", "val_")):
        pixels = {facts["photo_id"]: square for square, facts in made.squares(split)}
        files = [shard.file for shard in manifest.splits[split].shards]
        assert files == [f"{prefix}lab_images_0.tfrecord"] * min(num_photos[split], 1)
        for payload in chain.from_iterable(iterate_payloads(workspace / "embed/fused" / file) for file in files):
            features = parse_example(payload)
            lab = rgb2lab(pixels.pop(features["image_name"][0].decode().removesuffix(".jpg")))
            lightness, colour = np.array(features["image_l"]), np.array(features["image_ab"])
            np.testing.assert_allclose(50 * (lightness + 1), lab[..., 0].ravel(), rtol=0, atol=1e-4)
            np.testing.assert_allclose(127 * colour, lab[..., 1:].ravel(), rtol=0, atol=1e-4)
            assert len(features["image_embedding"]) == dim
            assert features["image/encoded"][0].startswith(b"\xff\xd8")
        assert not pixels


LINEAGES = {
    "Puma concolor": ("Felidae", "Carnivora", "Mammalia", "Chordata", "Animalia", "cougar"),
    "Pica pica": ("Corvidae", "Passeriformes", "Aves", "Chordata", "Animalia", "magpie"),
    "Aster alpinus": ("Asteraceae", "Asterales", "Magnoliopsida", "Tracheophyta", "Plantae", ""),
}


RANKS = ("family", "order", "class", "phylum", "kingdom")


MAPPING = """
CREATE TABLE eol (content_id INT NOT NULL, page_id INT NOT NULL, evobio10m_id TEXT NOT NULL PRIMARY KEY);
CREATE TABLE inat21 (filename TEXT NOT NULL, cls_name TEXT NOT NULL, cls_num INT NOT NULL,
                     evobio10m_id TEXT NOT NULL PRIMARY KEY);
CREATE TABLE bioscan (part INT NOT NULL, filename TEXT NOT NULL, evobio10m_id TEXT NOT NULL PRIMARY KEY);
CREATE TABLE split (evobio10m_id TEXT NOT NULL PRIMARY KEY, is_val INTEGER NOT NULL, is_train_small INTEGER NOT NULL);
CREATE TABLE catalog (split, treeoflife_id, kingdom, phylum, class, "order", family, genus, species, common);
"""


def write_tree_of_life(data: Path) -> None:
    """115 photos of one species, 20 and 12 of two others, 4 known to genus only, from three sources."""
    labels = ["Puma concolor"] * 115 + ["Pica pica"] * 20 + ["Aster alpinus"] * 12 + ["Aster"] * 4
    with sqlite3.connect(data / "mapping.sqlite") as database:
        database.executescript(MAPPING)
        for number, label in enumerate(labels):
            key = f"{number * 7919 % 1000:036d}"
            genus, _, epithet = label.partition(" ")
            if number % 3 == 0:
                database.execute("INSERT INTO eol VALUES (?, ?, ?)", (number, 9, key))
                path = f"eol/{number}_9_eol-full-size-copy.jpg"
            elif number % 3 == 1:
                database.execute("INSERT INTO inat21 VALUES (?, ?, ?, ?)", (f"{number}.jpg", f"00007_{genus}", 7, key))
                path = f"inat21/train/00007_{genus}/{number}.jpg"
            else:
                database.execute("INSERT INTO bioscan VALUES (?, ?, ?)", (4, f"{number}.jpg", key))
                path = f"bioscan/part4/{number}.jpg"
            (data / "treeoflife" / path).parent.mkdir(parents=True, exist_ok=True)
            (data / "treeoflife" / path).write_bytes(picture(number))
            is_val, is_small = number % 20 == 0, number % 10 == 1
            database.execute("INSERT INTO split VALUES (?, ?, ?)", (key, is_val, is_small))
            lineage = LINEAGES.get(label, LINEAGES["Aster alpinus"])
            row = (key, *reversed(lineage[:5]), genus, epithet, lineage[5])
            # The released table lists the photos of the small set once more.
            for part in ("val" if is_val else "train", *(["train_small"] if is_small else [])):
                database.execute(f"INSERT INTO catalog VALUES (?{', ?' * 9})", (part, *row))
    database.close()
    taxa = [
        {"species": name, "genus": name.split()[0], **dict(zip((*RANKS, "common"), lineage, strict=True))}
        for name, lineage in LINEAGES.items()
    ]
    write_csv(data / "taxonomy.csv", taxa)


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # webdataset leaves files to the collector
def test_treeoflife(workspace: Path) -> None:
    data = workspace / "data"
    write_tree_of_life(data)
    (data / "unseen.txt").write_text("Aster alpinus\n")
    seen = [f"{number * 7919 % 1000:036d}" for number in (0, 3)]
    (data / "seen.txt").write_text("\n".join(seen) + "\n")

    made = make("treeoflife", workspace)
    assert Counter(made.photos["source"]) == {"eol": 51, "inat21": 50, "bioscan": 50}
    assert made.photos.filter(pl.col("given_split") == "val").height == 8
    assert made.cleaned["num_kept"] == len(made.used) == 151
    held = made.used.filter(pl.col("split") == "seen")["photo_id"]
    assert set(held) == {photo_id("eol", name) for name in seen}
    unseen = made.used.filter(pl.col("split") == "unseen")
    assert (set(unseen["label"]), len(unseen)) == ({"Aster alpinus"}, 12)
    drawn = made.used.filter(pl.col("split").is_in(["train", "val", "test"]))
    assert "Aster alpinus" not in drawn["label"]
    assert set(drawn["split"]) == {"train", "val", "test"}
    assert 0 < made.divided["num_train_small"] < 0.2 * made.divided["num_photos"]["train"]
    small = pl.read_parquet(made.folder / "split" / "train_small.parquet")
    assert set(made.used.join(small, on="photo_id")["split"]) == {"train"}
    made.assert_nothing_leaks()

    assert made.taxonomy.ranks == ["species", "genus", *RANKS]
    assert made.taxonomy.classes["species"] == ["other", "Puma concolor"]
    # Few photos, or none but of the genus: both still teach the ranks above.
    told = dict(drawn.select("label", pl.concat_str("species", "family", "kingdom", separator=" ")).rows())
    assert told["Pica pica"] == "other Corvidae Animalia"
    assert told["Aster"] == "other Asteraceae Plantae"
    assert made.taxonomy.vernacular["Puma concolor"] == "cougar"
    names = {path.name for path in (workspace / "resize").glob("*.tar")}
    assert names == {f"{part}-00000.tar" for part in ("train", "val", "test", "seen", "unseen")}
    for pixels, facts in made.squares("seen"):
        assert pixels.shape == (224, 224, 3)
        assert facts["box"] == [0, 0, 224, 224]
    assert_recorded_and_embedded(made)
    # As its users read it.
    tar = workspace / "resize" / "train-00000.tar"
    for sample in webdataset.WebDataset(str(tar), shardshuffle=False, empty_check=False):
        genus = json.loads(sample["json"])["labels"]["genus"]
        assert sample["scientific_name.txt"].decode().startswith(genus)
        assert sample["taxontag_com.txt"].decode().startswith("a photo of kingdom ")
        assert len([name for name in sample if name.endswith(".txt")]) == 10
