"""Propose kept photos of the same species and rights holder in the place of broken ones, for `clean.replacements`."""

import argparse
from pathlib import Path

import polars as pl

from fieldguide.clean.replacements import suggest_replacements
from fieldguide.digests import checked
from fieldguide.errors import FieldguideError

CATALOGUE = Path("interim/fetch/catalogue.parquet")
VERDICTS = Path("interim/clean/verdicts.parquet")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The list to write."""
    parser.add_argument("out", type=Path, help="the .csv to write, for `clean.replacements`")


def run(arguments: argparse.Namespace) -> None:
    """Write the list and say how many broken photos it helps."""
    if not VERDICTS.exists():
        raise FieldguideError(f"{VERDICTS} is missing; run the clean stage first")
    found, without = suggest_replacements(
        pl.read_parquet(checked(CATALOGUE)), pl.read_parquet(checked(VERDICTS)), arguments.out
    )
    print(f"{arguments.out}: {found} broken photos have a replacement, {without} have none")
