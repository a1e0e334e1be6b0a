"""Places and the regions they are in; and what a broken file of regions says."""

import json
from pathlib import Path
from typing import Any

import pytest

from fieldguide.catalogue.regions import Regions
from fieldguide.errors import CatalogueError


def square(west: float, south: float, east: float, north: float, **properties: Any) -> dict[str, Any]:
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Feature", "properties": properties, "geometry": {"type": "Polygon", "coordinates": [ring]}}


def write_geojson(path: Path, *features: dict[str, Any]) -> dict[str, Any]:
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return {"path": path, "name": "region"}


@pytest.mark.parametrize(
    ("country", "latitude", "longitude", "region"),
    [
        (None, None, None, None),
        ("NL", None, None, "EU_NW"),
        ("nl", None, None, "EU_NW"),
        ("US", None, None, None),
        ("NL", 52.1, 5.1, "polder"),
        ("NL", 53.5, 5.1, "box"),
        ("NL", 1.0, 5.1, "EU_NW"),
        (None, 0.0, 179.5, "pacific"),
        (None, 0.0, -179.5, "pacific"),
        (None, 0.0, 0.0, None),
        (None, 52.1, None, None),
    ],
)
def test_the_first_that_holds_the_place_counts(
    tmp_path: Path, country: str | None, latitude: float | None, longitude: float | None, region: str | None
) -> None:
    polygons = write_geojson(
        tmp_path / "r.json", square(5, 52, 6, 53, region="polder"), square(5, 52, 6, 52.5, region="hidden")
    )
    boxes = {"box": [5, 52, 6, 54], "pacific": [170, -50, -170, 50]}
    section = {"polygons": polygons, "boxes": boxes, "countries": {"EU_NW": ["NL"], "second": ["nl"]}}
    assert Regions.model_validate(section).find(country, latitude, longitude) == region


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not valid JSON"),
        ("[]", "no features"),
        ('{"features": [{"properties": {"a": 1}, "geometry": null}]}', "feature 1: no property 'region'; it has a"),
        ('{"features": [{"properties": {"region": "x"}, "geometry": null}]}', "feature 1: no usable geometry"),
        (
            '{"features": [{"properties": {"region": "x"}, "geometry": {"type": "Point", "coordinates": [1, 2]}}]}',
            "feature 1: a Point; expected a Polygon or MultiPolygon",
        ),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "r.json").write_text(content)
    section = {"polygons": {"path": tmp_path / "r.json", "name": "region"}, "boxes": {}, "countries": {}}
    with pytest.raises(CatalogueError, match=f"r.json.*{message}"):
        Regions.model_validate(section).find(None, 1.0, 1.0)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    section = {"polygons": {"path": tmp_path / "r.json", "name": "region"}, "boxes": {}, "countries": {}}
    with pytest.raises(CatalogueError, match=r"r\.json is missing; fetch\.regions names it"):
        Regions.model_validate(section).find(None, 1.0, 1.0)
