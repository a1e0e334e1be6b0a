"""Bring into MLflow what DVC took from its run cache, and what a lost database held."""

import argparse

from fieldguide.track.mlflow_sync import sync


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None."""


def run(arguments: argparse.Namespace) -> None:
    """Bring in the missing runs and say how many."""
    report = sync()
    print(f"{report.num_added} added, {report.num_completed} completed, {report.num_whole} already there")
