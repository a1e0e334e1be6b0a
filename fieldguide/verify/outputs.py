"""The outputs at and below a place: which files each holds, and what says what their bytes must be.

Three files speak for others: digests.json of every stage, manifest.json of squares and records, and bundle.json of the
browser bundle. They are checked before they are believed.
"""

import json
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from pydantic import ValidationError

from fieldguide.digests import DIGESTS, Digests, bytes_xxh3
from fieldguide.errors import FieldguideError
from fieldguide.records.manifest import MANIFEST
from fieldguide.verify.bytes import Expected
from fieldguide.verify.findings import Finding, Kind
from fieldguide.verify.places import UNLISTED, Place

BUNDLE: Final = "bundle.json"
WORKER: Final = "service_worker.js"
"""Holds the digest of bundle.json, which therefore does not speak of it."""
CONTAINERS: Final = (".tar", ".tfrecord")
INDEX_ENDS: Final = (".index", ".idx")
STREAM: Final = "stream.json"


@dataclass
class Output:
    """A folder that one stage wrote, or whose files nobody vouches for."""

    folder: Place
    stage: str = ""
    """That wrote it, as `dvc repro` takes it; empty where no digests.json says so."""
    is_vouched: bool = False
    """digests.json, manifest.json or bundle.json is there."""
    expected: dict[str, Expected] = field(default_factory=dict)
    """By name below the folder."""
    manifest: Mapping[str, Any] = field(default_factory=dict)
    files: list[Place] = field(default_factory=list)
    """To be checked, sorted."""
    passed_over: list[Place] = field(default_factory=list)
    """Files that lie beside the shards of somebody else, of which nobody speaks."""
    is_whole: bool = False
    """All of it was asked for, so that what is missing counts."""
    findings: list[Finding] = field(default_factory=list)
    """Of the files that speak for others, and of those that are missing."""

    def remedy(self) -> str:
        """What helps against damage here."""
        if not self.stage:
            return "bring a good copy"
        return f"`verify --repair` rebuilds it, or delete it and run `dvc repro --force {self.stage}`"


def find_outputs(places: list[Place]) -> list[Output]:
    """The outputs that hold `places`, sorted by folder, each with the files that are meant.

    Raises FieldguideError if a place is not there.
    """
    _speaks.cache_clear()
    chosen: dict[Place, set[Place]] = defaultdict(set)
    whole: set[Place] = set()
    for place in places:
        if place.scheme in UNLISTED and place.suffix not in CONTAINERS and _is_listed(place):
            whole.add(place)
            chosen[place] |= set()
        elif place.is_file():
            chosen[_home(place)].add(place)
        elif place.is_folder():
            files = place.files()
            for file in files:
                home = _home(file)
                chosen[home].add(file)
                if home == place or place in home.above():
                    whole.add(home)
            if not files:
                raise FieldguideError(f"{place.path}: no files here, so there is nothing to check")
        else:
            raise FieldguideError(f"{place.path} is missing; expected a file or a folder")
    return [_read_output(home, sorted(chosen[home]), home in whole) for home in sorted(chosen)]


def read_again(output: Output) -> Output:
    """The same output, or the same files of it, as they are now."""
    if not output.is_whole:
        return _read_output(output.folder, [file for file in output.files if file.is_file()], False)
    return next(each for each in find_outputs([output.folder]) if each.folder == output.folder)


def leave_out(outputs: list[Output], folders: list[Place]) -> list[Output]:
    """Without files that only lie beside outputs, directly in one of `folders`: models/README.md."""
    vouched = [output.folder for output in outputs if output.is_vouched]
    beside = {folder for folder in folders for home in vouched if folder in home.above()}
    return [output for output in outputs if output.is_vouched or output.folder not in beside]


def _is_listed(folder: Place) -> bool:
    """Whether a file in a folder of a store without lists says what else is there."""
    return any(_speaks(folder, name) for name in (DIGESTS, BUNDLE, MANIFEST))


@lru_cache(maxsize=100_000)
def _speaks(folder: Place, name: str) -> bool:
    return folder.child(name).is_file()


def _home(file: Place) -> Place:
    """The nearest folder above with digests.json, else with a manifest or a bundle's list, else its own."""
    folders = list(file.above())
    for names in ((DIGESTS,), (MANIFEST, BUNDLE)):
        for folder in folders:
            if any(_speaks(folder, name) for name in names):
                return folder
    return file.folder


def _read_output(folder: Place, files: list[Place], is_whole: bool) -> Output:
    output = Output(folder, is_whole=is_whole)
    digests = _read_digests(output)
    if digests:
        output.stage = digests.stage
        output.expected = {
            name: Expected(each.num_bytes, each.xxh3, by=DIGESTS) for name, each in digests.files.items()
        }
    for name, believe in ((MANIFEST, _believe_manifest), (BUNDLE, _believe_bundle)):
        with suppress(KeyError, TypeError, AttributeError):  # another program's file of that name
            believe(output, _read_json(output, name))
    present = set(files)
    if is_whole:
        for name in sorted(output.expected.keys() | _shards_of_ledgers(files, folder)):
            if (place := folder.child(name)) not in present and not place.is_file():
                output.findings.append(Finding(place, Kind.MISSING, f"the {_by(output, name)} names it"))
            else:
                present.add(place)
    spoken = {finding.place for finding in output.findings}
    output.files = sorted(place for place in present if place not in spoken and place.name != DIGESTS)
    output.is_vouched = bool(digests or output.expected or output.findings)
    if not output.is_vouched and any(file.suffix in CONTAINERS for file in output.files):
        ours = [file for file in output.files if file.name.endswith((*CONTAINERS, *INDEX_ENDS))]
        output.passed_over = [file for file in output.files if file not in ours]
        output.files = ours
    return output


def _by(output: Output, name: str) -> str:
    return output.expected[name].by if name in output.expected else "ledger of fetch"


def _read_digests(output: Output) -> Digests | None:
    place = output.folder.child(DIGESTS)
    try:
        content = place.read()
        digests = Digests.model_validate_json(content)
    except FileNotFoundError:
        return None
    except ValidationError as error:
        output.findings.append(Finding(place, Kind.DAMAGED, error.errors()[0]["msg"]))
        return None
    if digests.sealed().encoded() != content:
        output.findings.append(Finding(place, Kind.DAMAGED, "its digest is not that of its content"))
        return None
    return digests


def _read_json(output: Output, name: str) -> dict[str, Any]:
    """A file that speaks for others; nothing if it is not there, or not what digests.json says (told with the rest)."""
    try:
        content = output.folder.child(name).read()
        expected = output.expected.get(name)
        if expected and expected.xxh3 != bytes_xxh3(content):
            return {}
        found = json.loads(content)
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _believe_manifest(output: Output, manifest: Mapping[str, Any]) -> None:
    if not manifest.get("style"):
        return
    for name in manifest.get("num_photos", {}):
        output.expected.setdefault(name, Expected(by=MANIFEST))
    for name, sha256 in manifest.get("tables", {}).items():
        output.expected.setdefault(name, Expected(sha256=sha256, by=MANIFEST))
    for split in manifest.get("splits", {}).values():
        for entry in split["shards"]:
            output.expected[entry["file"]] = Expected(entry["num_bytes"], None, entry["sha256"], MANIFEST)
    output.manifest = manifest


def _believe_bundle(output: Output, bundle: Mapping[str, Any]) -> None:
    for name, entry in bundle.get("files", {}).items():
        output.expected.setdefault(name, Expected(entry["bytes"], None, entry["sha256"], BUNDLE))
    if bundle:
        output.expected.setdefault(WORKER, Expected(by=BUNDLE))


def _shards_of_ledgers(files: list[Place], folder: Place) -> set[str]:
    """The tars of originals that fetch's ledgers speak of."""
    names = {file.name_below(folder) for file in files}
    if STREAM in names:
        return set()
    ledgers = (name for name in names if name.startswith("ledger/") and name.endswith(".parquet"))
    return {f"shards/{name.removeprefix('ledger/').removesuffix('.parquet')}.tar" for name in ledgers}
