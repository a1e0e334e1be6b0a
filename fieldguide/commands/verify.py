"""Recheck a finished tfrecord folder from its bytes: digests, checksums, labels, and that every photo decodes."""

import argparse
from pathlib import Path

from fieldguide.records.verify import verify_records


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The folder to check."""
    parser.add_argument(
        "folder", type=Path, nargs="?", default=Path("interim/tfrecord"), help="interim/tfrecord if left out"
    )


def run(arguments: argparse.Namespace) -> None:
    """Say how many records of each split are whole; the first one that is not ends the command with an error."""
    counts = verify_records(arguments.folder)
    print(f"{arguments.folder}: {', '.join(f'{count:,} {split}' for split, count in counts.items())} records are whole")
