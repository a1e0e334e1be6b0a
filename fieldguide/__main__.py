"""What is done around the pipeline: `python -m fieldguide COMMAND`; `--help` lists the commands."""

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
        elif arguments.command == "taxonomy":
            draw_taxonomy(arguments.out)
        elif arguments.command == "export":
            export_sources(arguments.out, arguments.source)
        elif arguments.command == "link":
            link_kept(arguments.out)
        elif arguments.command == "suggest-replacements":
            propose_replacements(arguments.out)
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


def draw_taxonomy(out: Path) -> None:
    """Write the ranks that the sources hold as a table for `split.taxonomy`, and say how many taxa."""
    from fieldguide.catalogue.declared import write_source_taxonomy

    print(f"{out}: {write_source_taxonomy(out)} taxa")


def export_sources(out: Path, names: Sequence[str]) -> None:
    """Write the rows of some sources, or of all, as JSONL and print what licences they come under."""
    from fieldguide.catalogue.declared import read_sources
    from fieldguide.export import export_rows
    from fieldguide.summary import as_text

    sources = read_sources()
    for name in names:
        if name not in sources:
            raise FieldguideError(f"no source {name!r}; expected one of {', '.join(sources)}")
    print(as_text(export_rows({name: sources[name] for name in names or sources}, out)))


def link_kept(out: Path) -> None:
    """Link the photos that clean kept, by label, and say how many."""
    from fieldguide.export import link_photos
    from fieldguide.summary import as_text

    print(as_text(link_photos(out)))


def propose_replacements(out: Path) -> None:
    """Write which kept photos could stand in for broken ones, and say how many."""
    import polars as pl

    from fieldguide.photos.replacements import suggest_replacements

    catalogue, verdicts = Path("interim/fetch/catalogue.parquet"), Path("interim/clean/verdicts.parquet")
    if not verdicts.exists():
        raise FieldguideError(f"{verdicts} is missing; run the clean stage first")
    found, without = suggest_replacements(pl.read_parquet(catalogue), pl.read_parquet(verdicts), out)
    print(f"{out}: {found} broken photos have a replacement, {without} have none")


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
    taxonomy = commands.add_parser("taxonomy", help="write the ranks that the sources of params.yaml hold as a table")
    taxonomy.add_argument("out", type=Path, help="the .csv to write, for `split.taxonomy`")
    export = commands.add_parser("export", help="write the rows of the sources of params.yaml as JSONL")
    export.add_argument("out", type=Path, help="the .jsonl to write")
    export.add_argument("source", nargs="*", help="names of sources; all of them if there is none")
    link = commands.add_parser("link", help="show the photos that clean kept as a tree of symbolic links, by label")
    link.add_argument("out", type=Path, help="the folder to make")
    replace = commands.add_parser("suggest-replacements", help="propose kept photos in the place of broken ones")
    replace.add_argument("out", type=Path, help="the .csv to write, for `clean.replacements`")
    commands.add_parser("mlflow-sync", help="bring into MLflow what DVC took from its run cache")
    real = commands.add_parser("real", help="run a preset on real photographs in a scratch clone")
    real.add_argument("--preset", type=Path, default=Path("presets/real-photos.yaml"), help="params file to run")
    real.add_argument("--photos", type=Path, required=True, help="takes the place of PHOTOS in the preset")
    real.add_argument("--weights", type=Path, required=True, help="takes the place of WEIGHTS in the preset")
    real.add_argument("--scratch", type=Path, help="where to clone to; a new temporary folder otherwise")
    return parser


if __name__ == "__main__":
    main()
