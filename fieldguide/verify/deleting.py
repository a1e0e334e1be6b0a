"""Deletes bad files: those of outputs, and foreign shards that were named one by one; never anything else.

The object in DVC's cache behind a bad file goes with it if it is bad, too, as it is where one is a link to the other.
"""

import logging
from collections.abc import Sequence
from pathlib import Path

from fieldguide.errors import FieldguideError
from fieldguide.track.lockfile import TrackedPath
from fieldguide.verify.dvc_objects import Cache, find_tracked, is_persistent
from fieldguide.verify.findings import Finding, Kind
from fieldguide.verify.outputs import CONTAINERS, Output
from fieldguide.verify.places import UNLISTED, Place

log = logging.getLogger(__name__)


def refuse_others(outputs: Sequence[Output], named: Sequence[Place], root: Path) -> None:
    """Raise FieldguideError, before anything is read, if files might be deleted that no stage wrote.

    A folder must be an output (digests.json), a file a part of one, or a shard that was named itself.
    """
    for output in outputs:
        if output.folder.scheme in UNLISTED:
            raise FieldguideError(f"{output.folder.path}: nothing can be deleted over {output.folder.scheme}")
        for file in output.files:
            tracked = None if file.scheme else find_tracked(file.local, root)
            if tracked and tracked[0].stage is None:
                raise FieldguideError(f"{file.path} is an input, tracked by DVC; --delete takes outputs of stages")
            if output.stage or (tracked and tracked[0].stage):
                continue
            if file not in named or file.suffix not in CONTAINERS:
                raise FieldguideError(
                    f"{file.path} is no output of a stage; --delete takes outputs, and foreign shards "
                    f"({', '.join(CONTAINERS)}) that are named themselves"
                )


def delete(findings: Sequence[Finding], root: Path) -> int:
    """Delete the damaged files of `findings`, say so and what DVC does next; returns how many are left."""
    cache, num_left = Cache(root), 0
    are_cached: dict[TrackedPath, bool] = {}
    for finding in findings:
        place = finding.place
        if finding.kind is Kind.MISSING:
            continue
        if finding.kind is Kind.UNVOUCHED:
            num_left += 1
            log.warning("%s is left: nothing says that a stage wrote it", place.path)
            continue
        tracked = None if place.scheme else find_tracked(place.local, root)
        if tracked is None:
            place.remove()
            log.warning("%s deleted", place.path)
            continue
        out, name = tracked
        md5 = cache.object_of(place.local, cache.listed(out), name)
        place.remove()
        has_lost_object = md5 is not None and cache.discard_if_bad(md5)
        log.warning("%s deleted%s", place.path, ", and its object in DVC's cache, which was bad" * has_lost_object)
        is_cached = md5 is not None and cache.is_whole(md5) and cache.is_whole(out.digest)
        are_cached[out] = is_cached and are_cached.get(out, True)
    for out, is_cached in are_cached.items():
        log.warning("%s", _next_step(out, is_cached, root))
    return num_left


def _next_step(out: TrackedPath, is_cached: bool, root: Path) -> str:
    command = f"`dvc repro {out.stage}`"
    if is_persistent(str(out.stage), root):
        return f"{command} runs the stage, which brings only what is not there"
    if is_cached:
        return f"{command} brings {out.path} back from DVC's cache, if nothing that the stage reads has changed"
    return f"{command} runs the stage again: DVC's cache holds no whole copy of what was deleted"
