"""Presets of field guides on a small input of their real format, at the paths they name, from fetch to resize."""

import csv
import zipfile
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from bson import ObjectId

from tests.catalogue.mongo_server import serve_documents
from tests.images.pictures import blotches, encode
from tests.photo_server import PhotoServer
from tests.stages.presetting import make, picture, write_csv, write_tar

pytestmark = pytest.mark.slow


WHITE = 250
"""JPEG leaves white padding at least so bright."""


PLANTS = {"Aster alpinus": 14, "Bellis perennis": 10, "Linum album": 8, "Viola rara": 1}


COUNTRIES = {"FR": "EU_SW", "PT": "EU_SW", "NO": "EU_NORTH", "PL": "EU_EAST", "US": "AMERICAS_NORTH", "AU": None}


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
    documents[20]["images"].append(documents[0]["images"][0])
    documents[21]["images"].append({"url": server.url("404/gone.jpg"), "license": "cc0", "rights_holder": None})
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
        ((256, 256, 3), (0, 0, 256, 256))
    }
