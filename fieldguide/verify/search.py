"""Searches an output for bad files: each of its files by itself, then keys that are in two of them."""

from dataclasses import dataclass, field

import numpy as np

from fieldguide.verify.checking import check_files
from fieldguide.verify.findings import Finding, Kind
from fieldguide.verify.outputs import Output
from fieldguide.verify.places import Place


@dataclass
class Result:
    """What was found in one output."""

    output: Output
    findings: list[Finding] = field(default_factory=list)
    """Sorted by file, one for each bad one."""
    num_files: int = 0
    num_bytes: int = 0
    num_photos: int = 0
    """That were decoded."""
    foreign: list[Place] = field(default_factory=list)
    """Shards that hold no digests of ours, checked as far as their form goes."""


def search(output: Output, workers: int) -> Result:
    """Check every byte of what `output.files` names; the result does not depend on `workers`."""
    result = Result(output)
    findings = list(output.findings)
    keys: dict[Place, np.ndarray] = {}
    for report in check_files(output, workers):
        findings += report.findings
        result.num_files += 1
        result.num_bytes += report.num_bytes
        result.num_photos += report.num_photos
        if report.is_foreign:
            result.foreign.append(report.place)
        if output.is_vouched and len(report.keys):
            keys[report.place] = report.keys
    findings += _find_shared_keys(keys)
    for finding in sorted(findings):
        if not result.findings or result.findings[-1].place != finding.place:
            result.findings.append(finding)
    return result


def _find_shared_keys(keys: dict[Place, np.ndarray]) -> list[Finding]:
    """A finding for every shard with keys that an earlier one, or itself, holds already."""
    places = sorted(keys)
    if not places:
        return []
    every = np.concatenate([keys[place] for place in places])
    owners = np.repeat(np.arange(len(places)), [len(keys[place]) for place in places])
    order = np.argsort(every, kind="stable")
    again = np.flatnonzero(every[order][1:] == every[order][:-1])
    first, second = owners[order[again]], owners[order[again + 1]]
    findings = []
    for number in np.unique(second):
        shared = first[second == number]
        says = f"{len(shared)} of its photos are also in {places[shared[0]].name}"
        findings.append(Finding(places[number], Kind.DAMAGED, says))
    return findings
