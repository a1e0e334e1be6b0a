"""Checks the files of an output, one by one and over processes, and then what they say of each other."""

import errno
import hashlib
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import numpy as np
import polars as pl
import xxhash

from fieldguide.catalogue.taxonomy import Taxonomy
from fieldguide.digests import DIGESTS
from fieldguide.engine import EngineParams, map_shards
from fieldguide.errors import FieldguideError
from fieldguide.records.manifest import LABELS, MANIFEST, TAXONOMY
from fieldguide.verify.arrays import check_array
from fieldguide.verify.bytes import DigestedStream, Expected
from fieldguide.verify.examples import ExampleCheck
from fieldguide.verify.findings import Damage, Finding, Kind, Report
from fieldguide.verify.outputs import BUNDLE, CONTAINERS, INDEX_ENDS, WORKER, Output
from fieldguide.verify.places import Place
from fieldguide.verify.record_shards import check_shard, parse_index
from fieldguide.verify.tar_shards import TarExpected, check_tar

BUFFER: Final = 1 << 20
WORTH_PROCESSES = 32 << 20
"""Bytes that take longer to check than processes take to start."""
ORIGINALS: Final = "originals-"
"""Beginning of the names of fetch's tars, whose members may be no photos."""


@dataclass(frozen=True)
class Task:
    """One file to be checked, with all that is known of it."""

    place: Place
    expected: Expected
    output: Output
    """Without its files."""
    has_sound_tables: bool
    """The tables beside a shard are whole, so that its records can be compared with them."""


def check_files(output: Output, workers: int) -> Iterator[Report]:
    """A report of every file of one output; tables and lists come first, as shards are compared with them."""
    context = replace(output, files=[], findings=[], expected={})
    bad = {finding.place for finding in output.findings}
    for ends in (False, True):
        has_sound_tables = ends and all(
            name in output.expected and output.folder.child(name) not in bad for name in (LABELS, TAXONOMY)
        )
        tasks = [
            Task(place, output.expected.get(place.name_below(output.folder), Expected()), context, has_sound_tables)
            for place in output.files
            if (place.suffix in CONTAINERS) == ends
        ]
        engine = EngineParams(backend="loky", workers=workers if sum(map(_size, tasks)) > WORTH_PROCESSES else 1)
        for report in map_shards(check_file, tasks, engine, f"verify {output.folder.path}"):
            bad |= {finding.place for finding in report.findings}
            yield report


def check_file(task: Task) -> Report:
    """Read one file from its first byte to its last and say what is wrong with it."""
    report = Report(task.place)
    try:
        with task.place.opened() as stream:
            digested = DigestedStream(stream, task.expected)
            _check_content(task, io.BufferedReader(digested, BUFFER), report)
            digested.check()
            report.num_bytes = digested.num_bytes
    except Damage as damage:
        report.findings.insert(0, Finding(task.place, Kind.DAMAGED, f"{damage}; {task.output.remedy()}"))
    except FileNotFoundError:
        report.findings.insert(0, Finding(task.place, Kind.MISSING, "it was there when the search began"))
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        report.findings.insert(0, Finding(task.place, Kind.DAMAGED, "the disk does not give its bytes back"))
    return report


def _size(task: Task) -> int:
    return task.place.num_bytes()


def _check_content(task: Task, stream: io.BufferedReader, report: Report) -> None:
    place, output = task.place, task.output
    is_known = task.expected != Expected()
    if place.suffix in CONTAINERS and not is_known and output.manifest:
        report.findings.append(Finding(place, Kind.UNVOUCHED, f"not in the {MANIFEST} beside it"))
    elif place.suffix == ".tar":
        seen = check_tar(stream, _tar_expected(place, output))
        report.is_foreign = seen.is_foreign
        report.keys, report.num_photos = _digest_keys(seen.keys), seen.num_photos
    elif place.suffix == ".tfrecord":
        _check_records(task, stream, report)
        report.is_foreign = not is_known
    elif place.name == WORKER and task.expected.by == BUNDLE:
        _check_worker(stream.read(), output)
    elif not is_known:
        if place.name.endswith(INDEX_ENDS) and place.folder.child(place.name.rpartition(".")[0]).is_file():
            return  # compared with its shard
        if place in (output.folder.child(MANIFEST), output.folder.child(BUNDLE)) and output.is_vouched:
            return  # speaks for the others, and was believed
        says = f"no {DIGESTS} {'speaks of it' if output.is_vouched else 'here or above'}"
        report.findings.append(Finding(place, Kind.UNVOUCHED, f"{says}, so nothing says what its bytes must be"))
    elif place.suffix == ".npy":
        check_array(stream, place)


def _tar_expected(place: Place, output: Output) -> TarExpected:
    name = place.name_below(output.folder)
    style = output.manifest.get("style", {})
    is_original = output.stage == "fetch" or place.name.startswith(ORIGINALS)
    return TarExpected(output.manifest.get("num_photos", {}).get(name), style.get("size"), not is_original)


def _check_records(task: Task, stream: io.BufferedReader, report: Report) -> None:
    output, place = task.output, task.place
    examine, num_records = _example_check(task)
    seen, lengths = check_shard(stream, examine)
    if num_records not in (None, len(lengths)):
        raise Damage(f"it has {len(lengths)} records, the manifest says {num_records}")
    if examine.features:
        report.keys = _digest_keys(seen.keys)
    report.num_photos = seen.num_photos
    if examine.table_problem:
        table = output.folder.child(LABELS)
        problem = f"{examine.table_problem} ({place.name}); {output.remedy()}"
        report.findings.append(Finding(table, Kind.DAMAGED, problem))
    for end in INDEX_ENDS:
        index = place.folder.child(place.name + end)
        if index.is_file():
            try:
                differs = parse_index(index.read()) != lengths
                problem = f"its lines are not where the records of {place.name} lie" if differs else ""
            except Damage as damage:
                problem = str(damage)
            if problem and output.manifest.get("compression", "none") in (None, "none"):
                report.findings.append(Finding(index, Kind.DAMAGED, f"{problem}; {output.remedy()}"))


def _example_check(task: Task) -> tuple[ExampleCheck, int | None]:
    """What the records of a shard are held to, and how many there are."""
    output, manifest = task.output, task.output.manifest
    if task.expected.sha256 is None or "features" not in manifest:
        return ExampleCheck(), None
    start = 0
    for split, entries in manifest["splits"].items():
        for entry in entries["shards"]:
            if entry["file"] != task.place.name:
                start += entry["num_records"]
                continue
            check = ExampleCheck(
                features=manifest["features"],
                has_photos=manifest.get("kind", "image") == "image",
                side=manifest["style"]["size"],
            )
            if task.has_sound_tables:
                taxonomy = Taxonomy.model_validate_json(output.folder.child(TAXONOMY).read())
                check.classes = {rank: taxonomy.classes[rank] for rank in taxonomy.ranks}
                table = _labels(output.folder.child(LABELS), start, entry["num_records"])
                check.rows = table.to_dicts() if set(table["split"]) <= {split} else [{"photo_id": "of another split"}]
            return check, entry["num_records"]
    raise FieldguideError(f"{task.place.path}: not in the manifest")


def _labels(place: Place, start: int, num_records: int) -> pl.DataFrame:
    if not place.scheme:
        return pl.scan_parquet(place.local).slice(start, num_records).collect()
    return _remote_labels(place).slice(start, num_records)


@lru_cache(maxsize=1)
def _remote_labels(place: Place) -> pl.DataFrame:
    return pl.read_parquet(place.read())


def _check_worker(content: bytes, output: Output) -> None:
    """The service worker names the digest of bundle.json, and so stands for the whole bundle."""
    digest = hashlib.sha256(output.folder.child(BUNDLE).read()).hexdigest()
    if digest.encode() not in content:
        raise Damage(f"it does not name the digest of {BUNDLE}, {digest}")


def _digest_keys(keys: Iterable[bytes]) -> np.ndarray:
    """XXH3-128 of every key: S16 [num_keys]. Two photos of a set share one by chance once in 2^64 sets of 2^32."""
    return np.frombuffer(b"".join(map(xxhash.xxh3_128_digest, keys)), "S16")
