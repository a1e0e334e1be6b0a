"""What is done around the pipeline: `python -m fieldguide summary | why | mlflow-sync | real`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from fieldguide.errors import FieldguideError


def main(argv: Sequence[str] | None = None) -> None:
    """Run one command; a FieldguideError becomes one line on stderr and exit code 1."""
    arguments = _parser().parse_args(argv)
    try:
        if arguments.command == "summary":
            show_summary(arguments.markdown)
        elif arguments.command == "why":
            explain_photo(arguments.photo)
        elif arguments.command == "mlflow-sync":
            sync_mlflow()
        else:
            run_real(arguments)
    except FieldguideError as error:
        print(f"{arguments.command}: {error}", file=sys.stderr)
        sys.exit(1)


def show_summary(markdown: bool) -> None:
    """Print what was built and where to look."""
    from fieldguide.summary import WHERE_TO_LOOK, as_markdown, as_text, collect_rows

    rows = collect_rows(Path("metrics"))
    if markdown:
        print(as_markdown(rows))
    else:
        print(f"\nBuilt\n{as_text(rows)}\n\nLook at\n{as_text(WHERE_TO_LOOK)}")


def explain_photo(query: str) -> None:
    """Print the life of every photo that `query` means, a blank line between two."""
    from fieldguide.summary import as_text
    from fieldguide.why import explain

    print("\n\n".join(as_text(rows) for rows in explain(query)))


def sync_mlflow() -> None:
    """Bring missing runs into MLflow and say how many."""
    from fieldguide.mlflow_sync import sync

    report = sync()
    print(f"{report.num_added} added, {report.num_completed} completed, {report.num_whole} already there")


def run_real(arguments: argparse.Namespace) -> None:
    """Run a preset on real photographs and print its table."""
    from fieldguide.real import run_preset
    from fieldguide.summary import as_markdown

    print(as_markdown(run_preset(arguments.preset, arguments.photos, arguments.weights, arguments.scratch)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m fieldguide", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    summary = commands.add_parser("summary", help="print what the last run built")
    summary.add_argument("--markdown", action="store_true", help="as a table for a README")
    why = commands.add_parser("why", help="print the whole life of a photo, from source line to record")
    why.add_argument("photo", help="photo id, SHA-256, URL, source row (observations.jsonl:812) or file")
    commands.add_parser("mlflow-sync", help="bring into MLflow what DVC took from its run cache")
    real = commands.add_parser("real", help="run a preset on real photographs in a scratch clone")
    real.add_argument("--preset", type=Path, default=Path("presets/real-photos.yaml"), help="params file to run")
    real.add_argument("--photos", type=Path, required=True, help="takes the place of PHOTOS in the preset")
    real.add_argument("--weights", type=Path, required=True, help="takes the place of WEIGHTS in the preset")
    real.add_argument("--scratch", type=Path, help="where to clone to; a new temporary folder otherwise")
    return parser


if __name__ == "__main__":
    main()
