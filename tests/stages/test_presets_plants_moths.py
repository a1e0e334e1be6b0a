"""Presets of field guides on a small input of their real format, at the paths they name, from fetch to the bundle."""

import csv
import json
import zipfile
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from bson import ObjectId
from safetensors.numpy import load_file

from tests.catalogue.mongo_server import serve_documents
from tests.images.pictures import blotches, encode
from tests.photo_server import PhotoServer
from tests.stages.presetting import make, make_bundle, picture, write_csv, write_tar

pytestmark = pytest.mark.slow


WHITE = 250
"""JPEG leaves white padding at least so bright."""


PLANTS = {"Aster alpinus": 24, "Bellis perennis": 16, "Linum album": 10, "Viola rara": 1}


COUNTRIES = {
    "FR": "EU_SW",
    "PT": "EU_SW",
    "ES": "EU_SW",
    "NO": "EU_NORTH",
    "IT": "EU_SW",
    "PL": "EU_EAST",
    "US": "AMERICAS_NORTH",
    "AU": None,
}


def plant_documents(server: PhotoServer) -> list[dict[str, Any]]:
    """Observations with one to three photos each; every fourth photo is not free."""
    documents = []
    for latin_name, num_observations in PLANTS.items():
        for _ in range(num_observations):
            number = len(documents)
            names = [f"{number}-{image}.jpg" for image in range(1 + number % 3)]
            for image, name in enumerate(names):
                server.files[name] = picture(10 * number + image, 120, 80)
            documents.append(
                {
                    "_id": ObjectId(f"{number:024x}"),
                    "latin_name": latin_name,
                    "country": list(COUNTRIES)[number % len(COUNTRIES)],
                    "images": [
                        {
                            "url": server.url(f"file/{name}"),
                            "license": "cc-by-nc" if (number + image) % 4 == 3 else "cc-by",
                            "rights_holder": "Ada",
                        }
                        for image, name in enumerate(names)
                    ],
                }
            )
    # The first photo of all stands under a second species too, and one is gone.
    documents[30]["images"].append(documents[0]["images"][0])
    documents[31]["images"].append({"url": server.url("404/gone.jpg"), "license": "cc0", "rights_holder": None})
    return documents


def test_plants(workspace: Path, server: PhotoServer, monkeypatch: pytest.MonkeyPatch) -> None:
    documents = plant_documents(server)
    with serve_documents({"observations": documents}) as database:
        monkeypatch.setenv("PLANTS_HOST", f"127.0.0.1:{database.server_address[1]}")
        made = make("plants", workspace, allow_private=True)
    assert len(made.photos) == sum(len(document["images"]) for document in documents)
    assert made.fetched["statuses"]["missing"] == 1

    country = {str(document["_id"]): document["country"] for document in documents}
    seen = made.photos.select("observation_id", "region").rows()
    assert all(region == COUNTRIES[country[observation]] for observation, region in seen)
    assert set(made.taxonomy.regions) == {"EU_SW", "EU_NORTH", "EU_EAST", "AMERICAS_NORTH"}

    assert set(made.used["licence"]) == {"CC-BY"}
    reasons = made.cleaned["reasons"]
    num_restricted = sum(image["license"] == "cc-by-nc" for document in documents for image in document["images"])
    assert (reasons["licence"], reasons["duplicate_url"], reasons["fetch_failed"]) == (num_restricted, 1, 1)
    assert set(made.photos.filter("labels_differ")["url"]) == {documents[0]["images"][0]["url"]}
    assert reasons["kept"] == len(made.used) == len(made.photos) - num_restricted - 2

    several = made.used.group_by("observation_id").agg(pl.len(), pl.col("split").n_unique().alias("num_splits"))
    assert several["len"].max() == 3
    assert set(several["num_splits"]) == {1}
    assert all(made.divided["num_photos"].values())
    made.assert_nothing_leaks()
    assert made.taxonomy.classes == {"species": ["other", *PLANTS]}
    # 3:2 photos cropped to squares: nothing is padded.
    assert all(pixels.shape == (256, 256, 3) for pixels, _ in made.squares("train"))
    assert {tuple(facts["box"]) for _, facts in made.squares("train")} == {(0, 0, 256, 256)}

    vit = {"architecture": "test_vit", "image_size": 160}
    metrics = make_bundle(workspace, **{"global": vit, "regional": vit})
    models = {
        name: json.loads((workspace / folder / "model.json").read_text())
        for name, folder in (("global", "teachers/global"), ("regional", "teachers/regional"), ("student", "student"))
    }
    # The plants of the world, then those of a region, from the same weights; the student listens to both.
    assert models["regional"]["weights"]["name"] == "global"
    assert models["regional"]["region"] == "EU_SW"
    # No photo is `other`; what a network cannot name has to go there all the same.
    assert models["regional"]["classes"]["species"][0] == "other"
    assert set(models["regional"]["classes"]["species"]) <= set(models["global"]["classes"]["species"])
    assert metrics["train-teacher-regional"]["num_train"] < metrics["train-teacher-global"]["num_train"]
    assert list(models["student"]["teachers"]) == ["global", "regional"]
    assert models["student"]["classes"] == models["global"]["classes"]
    assert {"teacher-global", "teacher-regional", "student", "knn"} <= set(metrics["evaluate"])
    assert_bundle_answers(workspace, metrics["export-tfjs"], ["species"])


def assert_bundle_answers(workspace: Path, parity: dict[str, Any], ranks: list[str]) -> None:
    """Every runtime answered as PyTorch did, and the page has the model and its labels."""
    assert {"onnxruntime", "tensorflow", "tfjs_node"} <= set(parity)
    labels = json.loads((workspace / "bundle" / "labels.json").read_text())
    assert labels["ranks"] == ranks
    assert {"index.html", "model.json"} <= {path.name for path in (workspace / "bundle").iterdir()}


MOTHS = [
    {"speciesName": name, "nederNaam": dutch, "group": group, "family": family, "genus": name.split()[0]}
    for name, dutch, group, family in (
        ("Agrotis exclamationis", "gewone worteluil", "macro", "Noctuidae"),
        ("Agrotis segetum", "gewone velduil", "macro", "Noctuidae"),
        ("Pammene gallicolana", "galdwergbladroller", "micro", "Tortricidae"),
    )
]


def test_moths(workspace: Path) -> None:
    first = {f"Agrotis exclamationis/{number}.jpg": picture(number) for number in range(40)}
    first |= {f"Agrotis segetum/{number}.png": encode(blotches(100 + number, 64, 48), "PNG") for number in range(51)}
    first |= {f"Agrotis ignota/{number}.jpg": picture(200 + number) for number in range(52)}
    first["Agrotis segetum/broken.jpg"] = picture(1)[:300]
    second = {f"Agrotis exclamationis/{number}.JPEG": picture(300 + number) for number in range(12)}
    second |= {f"Pammene gallicolana/{number}.jpg": picture(400 + number) for number in range(5)}
    write_tar(workspace / "data" / "moths.tar", first)
    with zipfile.ZipFile(workspace / "data" / "more-moths.zip", "w") as archive:
        for name, content in second.items():
            archive.writestr(name, content)
    write_csv(workspace / "data" / "moths_family.csv", MOTHS, delimiter=";", quoting=csv.QUOTE_ALL)

    made = make("moths", workspace)
    assert len(made.photos) == len(first) + len(second)
    assert made.cleaned["reasons"]["truncated"] == 1
    assert made.cleaned["num_kept"] == len(made.used) == 160
    assert made.taxonomy.ranks == ["species", "group", "family", "genus"]
    assert made.taxonomy.classes == {
        "species": ["other", "Agrotis exclamationis", "Agrotis segetum"],
        "group": ["other", "macro", "micro"],
        "family": ["other", "Noctuidae", "Tortricidae"],
        "genus": ["other", "Agrotis", "Pammene"],
    }
    # Five photos are too few for a class, and the table lacks one species: both still teach the higher ranks.
    told = dict(made.used.select("label", pl.concat_str("species", "group", "genus", separator=" ")).rows())
    assert told["Pammene gallicolana"] == "other micro Pammene"
    assert told["Agrotis ignota"] == "other macro Agrotis"
    assert made.taxonomy.vernacular["Agrotis segetum"] == "gewone velduil"
    assert all(made.divided["num_photos"].values())
    made.assert_nothing_leaks()
    assert all(pixels.shape == (256, 256, 3) and pixels[:16].min() >= WHITE for pixels, _ in made.squares("val"))

    # As there, and what a user adds who sees rare species lose.
    resnet = {"architecture": "test_resnet", "image_size": 64, "epochs": 6, "patience": 5}
    metrics = make_bundle(workspace, **{"global": {**resnet, "rebalance": {"species": "tau_norm"}}})
    taught = metrics["train-teacher-global"]
    assert taught["num_epochs"] == 6
    assert {f"val_top1_{rank}" for rank in made.taxonomy.ranks} | {"rebalance_species"} <= set(taught)
    weights = load_file(workspace / "teachers" / "global" / "last.safetensors")
    means = [value for name, value in weights.items() if name.endswith("running_mean")]
    # In the end 40 % of the backbone learn: what is frozen keeps its statistics, too.
    assert not means[0].any()
    assert means[-1].any()
    assert set(metrics["evaluate"]["student"]["ranks"]) == set(made.taxonomy.ranks)
    assert_bundle_answers(workspace, metrics["export-tfjs"], made.taxonomy.ranks)


def test_real_photos(workspace: Path) -> None:
    folder = workspace / "PHOTOS" / "images"
    for number in range(36):
        path = (
            folder / ("Gala" if number % 3 else "Oatly") / f"{('train', 'val', 'test')[number % 12 // 5]}_{number}.jpg"
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture(number, 120, 90))
    taxa = [
        {"species": "Gala", "genus": "Apple", "family": "Fruit"},
        {"species": "Oatly", "genus": "Oat", "family": "Carton"},
    ]
    write_csv(workspace / "PHOTOS" / "taxonomy.csv", taxa)

    made = make("real-photos", workspace)
    assert made.used["split"].to_list() == made.used["given_split"].to_list()
    assert made.divided["num_photos"] == {"train": 15, "val": 15, "test": 6}
    assert set(made.used.select("licence", "rights_holder").rows()) == {("MIT", "Marcus Klasson")}
    assert made.taxonomy.classes["genus"] == ["other", "Apple", "Oat"]
    made.assert_nothing_leaks()
    assert {(pixels.shape, tuple(facts["box"])) for pixels, facts in made.squares("test")} == {
        ((320, 320, 3), (0, 0, 320, 320))
    }
