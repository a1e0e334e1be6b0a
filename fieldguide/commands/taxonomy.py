"""Write the ranks that the sources of params.yaml hold as a table for `split.taxonomy`."""

import argparse
from pathlib import Path

from fieldguide.catalogue.declared import write_source_taxonomy


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The table to write."""
    parser.add_argument("out", type=Path, help="the .csv to write, for `split.taxonomy`")


def run(arguments: argparse.Namespace) -> None:
    """Write the table and say how many taxa are in it."""
    print(f"{arguments.out}: {write_source_taxonomy(arguments.out)} taxa")
