"""Brings bad files back byte for byte: from DVC's cache or remote, else by running the stage again for just them.

Nothing takes a file's place unless it was held to a digest that is not its own: the MD5 that DVC has of the file, that
of the whole output in dvc.lock, or that of digests.json or the manifest.
"""

import logging
import shutil
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from fieldguide.digests import DIGESTS, FileDigest
from fieldguide.errors import FieldguideError
from fieldguide.files import file_sha256, written_whole
from fieldguide.track.lockfile import TrackedPath, stages_before
from fieldguide.verify.dvc_objects import Cache, file_md5, find_tracked, folder_md5
from fieldguide.verify.findings import Finding, Kind
from fieldguide.verify.outputs import Output, read_again
from fieldguide.verify.places import Place
from fieldguide.verify.rebuilding import is_rebuildable, rebuilt, rebuilt_digests
from fieldguide.verify.search import Result, search

MOST_ROUNDS = 3

log = logging.getLogger(__name__)


def in_order(results: Sequence[Result], root: Path) -> list[Result]:
    """The results in the order of the pipeline: what a stage reads is mended before what it wrote."""

    def num_stages_before(result: Result) -> int:
        folder = result.output.folder
        tracked = None if folder.scheme else find_tracked(folder.local, root)
        # DVC knows it also where digests.json does not say any more.
        stage = tracked[0].stage if tracked else None
        return len(stages_before(stage, root)) if stage else 0

    return sorted(results, key=num_stages_before)


def repaired(result: Result, workers: int, root: Path, tell: Callable[[Result], Result]) -> int:
    """Repair one output and search it again, as damage may have hidden more; the number of files that are left bad.

    `tell` gets what is found again.
    """
    left: set[Place] = set()
    for _ in range(MOST_ROUNDS):
        left |= _repair(result.output, [each for each in result.findings if each.place not in left], root)
        result = search(read_again(result.output), workers)
        result.findings = [each for each in result.findings if each.place not in left]
        if not result.findings:
            break
        tell(result)
    return len(left) + len(result.findings)


@dataclass
class Repair:
    """The bad files of one output and what can be had of them."""

    output: Output
    root: Path
    out: TrackedPath
    bad: dict[str, Path]
    """Where each bad file lies, by its name below the output."""
    cache: Cache
    listed: dict[str, str] | None = None
    """MD5 by name."""
    whole: dict[str, Path] = field(default_factory=dict)
    """Copies that were held to a digest, by name."""
    emptied: set[str] = field(default_factory=set)
    """Names whose object in the cache was bad and is gone."""


def _repair(output: Output, findings: Sequence[Finding], root: Path) -> set[Place]:
    """Repair what can be repaired of one output and say how; the files that are left bad."""
    left: dict[Place, str] = {}
    groups: dict[TrackedPath, dict[str, Place]] = {}
    for finding in findings:
        tracked = None if finding.place.scheme else find_tracked(finding.place.local, root)
        if finding.kind is Kind.UNVOUCHED:
            left[finding.place] = "nothing says that a stage wrote it"
        elif tracked is None or tracked[0].stage is None:
            left[finding.place] = "no output of a stage in dvc.lock; bring a good copy"
        else:
            groups.setdefault(tracked[0], {})[tracked[1]] = finding.place
    for out, bad in groups.items():
        work = Repair(output, root, out, {name: place.local for name, place in bad.items()}, Cache(root))
        with ExitStack() as stack:
            _take_from_cache(work)
            problem = _make_again(work, stack)
            for name, good in work.whole.items():
                _install(work, name, good)
        remedy = f"{problem}; " * bool(problem) + f"`dvc repro --force {out.stage}` makes the whole output again"
        left |= {place: remedy for name, place in bad.items() if name not in work.whole}
    for place, why in left.items():
        log.warning("%s cannot be repaired: %s", place.path, why)
    return set(left)


def _take_from_cache(work: Repair) -> None:
    """Whole objects of DVC's cache, or of its remotes where the cache has none."""
    cache = work.cache
    cache.discard_if_bad(work.out.digest)
    work.listed = cache.listed(work.out)
    wanted = {name: cache.object_of(path, work.listed, name) for name, path in work.bad.items()}
    work.emptied = {name for name, md5 in wanted.items() if md5 and cache.discard_if_bad(md5)}
    absent = [name for name in work.bad if not work.listed or not cache.is_whole(work.listed.get(name, ""))]
    if absent:
        cache.fetch([f"{work.out.path}/{name}" for name in absent] if work.listed else [work.out.path])
        work.listed = cache.listed(work.out)
    for name in work.bad:
        md5 = (work.listed or {}).get(name)
        if md5 and not cache.discard_if_bad(md5) and cache.is_whole(md5):
            work.whole[name] = cache.path(md5)


def _make_again(work: Repair, stack: ExitStack) -> str:
    """Files that the stage makes by itself, then digests.json; why not, if it could not."""
    stage = str(work.out.stage)
    names = [name for name in work.bad if name not in work.whole and is_rebuildable(stage, name)]
    made: dict[str, Path] = {}
    try:
        if names:
            folder = stack.enter_context(rebuilt(stage, names, work.root))
            made = {name: folder / name for name in names if (folder / name).is_file()}
        if set(work.bad) - set(work.whole) - set(made) == {DIGESTS}:
            folder = work.root / work.out.path
            made[DIGESTS] = stack.enter_context(rebuilt_digests(folder, stage, work.whole | made))
    except FieldguideError as error:
        return str(error)
    candidates = work.whole | made
    is_complete = set(candidates) == set(work.bad)
    if made and is_complete and folder_md5(work.root / work.out.path, candidates) == work.out.digest:
        work.whole = candidates
        return ""
    wrong = [name for name, path in made.items() if not _is_right(work, name, path)]
    work.whole |= {name: path for name, path in made.items() if name not in wrong}
    if wrong:
        return "made again it has other bytes, or none that a digest speaks of: its inputs or the code have changed"
    return ""


def _is_right(work: Repair, name: str, path: Path) -> bool:
    if work.listed is not None:
        return file_md5(path) == work.listed.get(name)
    expected = work.output.expected.get(name)
    if expected is None or name == DIGESTS:
        return False
    if expected.sha256:
        return file_sha256(path) == expected.sha256
    return expected.xxh3 is not None and FileDigest.of(path).xxh3 == expected.xxh3


def _install(work: Repair, name: str, good: Path) -> None:
    path = work.bad[name]
    is_cached = good.is_relative_to(work.cache.folder)
    with written_whole(path) as temporary:
        shutil.copyfile(good, temporary)
    if name in work.emptied and not is_cached:
        work.cache.put(file_md5(path), path)
    origin = "from DVC's cache" if is_cached else f"by running {work.out.stage} for it"
    log.warning("%s repaired %s%s", path, origin, "; its object in DVC's cache was bad, too" * (name in work.emptied))
