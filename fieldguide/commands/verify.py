"""Check every byte of what stages wrote, and shards from elsewhere; print each bad file, delete or rebuild it.

Standard output holds the bad files, one a line, and nothing else. Exit code 1 if there are any that were not repaired.
PATH is a file, a folder or a URL (s3://, http(s)://), with braces and globs: s3://bucket/train-{00000..00031}.tar.
"""

import argparse
import logging
from pathlib import Path

from fieldguide.console import log_to_console
from fieldguide.errors import FieldguideError, ParamsError
from fieldguide.verify.deleting import delete, refuse_others
from fieldguide.verify.outputs import Output, find_outputs, leave_out
from fieldguide.verify.places import Place, find_places
from fieldguide.verify.repairing import in_order, repaired
from fieldguide.verify.search import Result, search

log = logging.getLogger(__name__)

EVERYWHERE = ("interim", "models", "reports")
FOREIGN = "no digests say what their bytes must be; framing, crcs, members and photos were checked"
MOST_NAMES = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to check, and what to do with what is bad."""
    parser.add_argument("path", nargs="*", help=f"what to check; {', '.join(EVERYWHERE)} if left out")
    parser.add_argument("--workers", type=int, default=0, help="processes; 0, the default: one for each core")
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--delete", action="store_true", help="delete exactly the bad files, of outputs only")
    action.add_argument("--repair", action="store_true", help="rebuild exactly the bad files, byte for byte")


def run(arguments: argparse.Namespace) -> None:
    """Print the bad files.

    Raises FieldguideError if there are any that were not repaired, or if there is nothing to check.
    """
    log_to_console()
    if arguments.workers < 0:
        raise ParamsError(f"--workers is {arguments.workers}; expected 0 or more")
    outputs, places = _chosen(arguments.path)
    root = Path()
    if arguments.delete:
        refuse_others(outputs, places, root)
    results = [_tell(search(output, arguments.workers)) for output in outputs]
    num_bad = sum(len(result.findings) for result in results)
    if arguments.repair:
        damaged = [result for result in in_order(results, root) if result.findings]
        num_bad = sum(repaired(result, arguments.workers, root, _tell) for result in damaged)
    if arguments.delete:
        delete([finding for result in results for finding in result.findings], root)
    if num_bad:
        raise FieldguideError(f"{num_bad} bad file{'s' * (num_bad != 1)}, as listed")


def _chosen(words: list[str]) -> tuple[list[Output], list[Place]]:
    """What is to be checked, and the places that were named."""
    places = [place for word in words for place in find_places(word)] or [
        Place(folder) for folder in EVERYWHERE if Place(folder).is_folder() and Place(folder).files()
    ]
    outputs = leave_out(find_outputs(places), places)
    if not words:
        # A folder where no stage has run yet.
        outputs = [output for output in outputs if output.is_vouched or output.folder not in places]
    if not outputs:
        raise ParamsError(f"nothing to check: no stage has written {', '.join(EVERYWHERE)} here")
    return outputs, places


def _tell(result: Result) -> Result:
    """The bad files on stdout; on stderr why they are, and what was looked at."""
    for finding in result.findings:
        log.warning("%s", finding)
        print(finding.place.path, flush=True)
    counts = f"{result.num_files} files, {result.num_bytes / 1e6:.1f} MB, {result.num_photos:,} photos decoded"
    verdict = f"{len(result.findings)} bad" if result.findings else "whole"
    log.info("%s: %s: %s", result.output.folder.path, counts, verdict)
    if result.foreign:
        log.info("%s: %d shards are not ours: %s", result.output.folder.path, len(result.foreign), FOREIGN)
    if result.output.passed_over:
        log.info("%s: passed over, as nothing speaks of them: %s", result.output.folder.path, _names(result))
    return result


def _names(result: Result) -> str:
    names = [place.name for place in result.output.passed_over]
    return ", ".join(names[:MOST_NAMES]) + (f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else "")
