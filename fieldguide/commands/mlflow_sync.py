"""Bring into MLflow what DVC took from its run cache, and what a lost database held."""

import argparse

from mlflow.exceptions import MlflowException

from fieldguide.credentials import mask_credentials
from fieldguide.errors import FieldguideError
from fieldguide.track.mlflow_sync import sync


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None."""


def run(arguments: argparse.Namespace) -> None:
    """Bring in the missing runs and say how many. Raises FieldguideError if MLflow does not answer."""
    try:
        report = sync()
    except MlflowException as error:
        # Its messages show the tracking server's address, and a user and a password may stand in that.
        raise FieldguideError(f"MLflow failed: {mask_credentials(' '.join(str(error).split()))}") from None
    print(f"{report.num_added} added, {report.num_completed} completed, {report.num_whole} already there")
