"""Regions of photos whose source names none: by polygons, by boxes, by countries, whichever comes first."""

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import shapely
from pydantic import Field
from shapely.errors import ShapelyError
from shapely.geometry import shape

from fieldguide.errors import CatalogueError
from fieldguide.params import Section
from fieldguide.text import tidy

Longitude = Annotated[float, Field(ge=-180, le=180)]
Latitude = Annotated[float, Field(ge=-90, le=90)]


class Polygons(Section):
    """A GeoJSON file of regions."""

    path: Path
    """A FeatureCollection of Polygons and MultiPolygons, longitude before latitude (RFC 7946)."""
    name: str
    """The property that holds the region's name; several features may share one."""


class Regions(Section):
    """What makes a region. Of overlapping polygons or boxes the first counts."""

    polygons: Polygons | None
    """Outlines of regions in a file; null: none."""
    boxes: dict[str, tuple[Longitude, Latitude, Longitude, Latitude]]
    """By region: west, south, east, north, degrees. West of a box across the antimeridian is greater than its east."""
    countries: dict[str, list[str]]
    """By region: ISO 3166 codes, or whatever the source writes for a country; case does not matter."""

    def find(self, country: str | None, latitude: float | None, longitude: float | None) -> str | None:
        """The region of a place, None if it is in none.

        Raises CatalogueError on the first call if the polygons cannot be read.
        """
        if latitude is not None and longitude is not None:
            found = self._find_polygon(latitude, longitude) or self._find_box(latitude, longitude)
            if found:
                return found
        return self._region_of_country.get(country.casefold()) if country else None

    @cached_property
    def _region_of_country(self) -> dict[str, str]:
        regions: dict[str, str] = {}
        for region, countries in self.countries.items():
            for country in countries:
                regions.setdefault(country.casefold(), region)
        return regions

    def _find_box(self, latitude: float, longitude: float) -> str | None:
        for region, (west, south, east, north) in self.boxes.items():
            across = longitude >= west or longitude <= east if west > east else west <= longitude <= east
            if across and south <= latitude <= north:
                return region
        return None

    def _find_polygon(self, latitude: float, longitude: float) -> str | None:
        if self.polygons is None:
            return None
        names, tree = self._tree
        inside = tree.query(shapely.Point(longitude, latitude), predicate="intersects")
        return names[min(inside)] if len(inside) else None

    @cached_property
    def _tree(self) -> tuple[Sequence[str], shapely.STRtree]:
        assert self.polygons
        return _read_polygons(self.polygons)


def _read_polygons(polygons: Polygons) -> tuple[list[str], shapely.STRtree]:
    path = polygons.path
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise CatalogueError(f"{path} is missing; fetch.regions names it") from None
    except (ValueError, RecursionError) as error:
        raise CatalogueError(f"{path}: not valid JSON ({error})") from None
    features = content.get("features") if isinstance(content, dict) else None
    if not isinstance(features, list) or not features:
        raise CatalogueError(f"{path}: no features; expected a GeoJSON FeatureCollection")
    names, shapes = [], []
    for number, feature in enumerate(features, start=1):
        where = f"{path}, feature {number}"
        name = _property(feature, polygons.name, where)
        try:
            outline = shape(feature["geometry"])
        except (ShapelyError, KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise CatalogueError(f"{where}: no usable geometry ({error})") from None
        if outline.geom_type not in ("Polygon", "MultiPolygon"):
            raise CatalogueError(f"{where}: a {outline.geom_type}; expected a Polygon or MultiPolygon")
        names.append(name)
        shapes.append(outline)
    return names, shapely.STRtree(shapes)


def _property(feature: Any, name: str, where: str) -> str:
    properties = feature.get("properties") if isinstance(feature, dict) else None
    if not isinstance(properties, dict) or not (found := tidy(str(properties.get(name) or ""))):
        known = ", ".join(properties) if isinstance(properties, dict) else ""
        raise CatalogueError(f"{where}: no property {name!r}; it has {known or 'none'}")
    return found
