"""Whether the data stages will find their photographs, classes and splits."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from fieldguide.catalogue.names import Nearest
from fieldguide.catalogue.schema import ROW_FIELDS
from fieldguide.catalogue.taxonomy_table import Taxa, read_taxa
from fieldguide.credentials import resolve
from fieldguide.errors import CatalogueError, ParamsError
from fieldguide.preflight.finding import Finding, note, problem
from fieldguide.preflight.setting import Setting, source_files
from fieldguide.survey.tally import Tally

UNREAD = note("not looked at, as no source was read")
DATA_POINTER = Path("data.dvc")


def check_sources(setting: Setting) -> Iterator[Finding]:
    """Tables, archives and folders open, and their first rows are as the params say. URLs are not asked for."""
    if not setting.fetch:
        return
    if DATA_POINTER.exists() and not DATA_POINTER.with_suffix("").exists():
        yield problem(
            f"{DATA_POINTER.with_suffix('')} is missing, which fetch depends on; `dvc pull {DATA_POINTER}` brings it"
        )
    for name, source in setting.fetch.sources.items():
        where = f"fetch.sources.{name}"
        missing = [path for path in source_files(source) if not _exists(path)]
        if missing:
            yield problem(f"{where}: {missing[0]} is missing")
            continue
        try:
            resolve(str(getattr(source, "url", "")))
        except ParamsError as error:
            yield problem(f"{where}.url: {error}")
            continue
        tally = setting.tallies.get(name)
        if tally is None:
            yield note(f"{where}: a source of kind {source.kind} that only fetch itself asks")
        elif isinstance(tally, str):
            yield problem(f"{where}: {tally}")
        else:
            yield from _check_rows(where, tally, setting, name)


def _exists(path: Path) -> bool:
    # A source's root may be a folder in an archive.
    return any(place.exists() for place in (path, *path.parents[:-1]) if place == path or place.is_file())


def _check_rows(where: str, tally: Tally, setting: Setting, name: str) -> Iterator[Finding]:
    if not tally.num_rows:
        yield problem(f"{where}: no rows")
        return
    more = "" if tally.is_whole else "+"
    yield note(f"{where}: {tally.num_rows:,}{more} photos, {len(tally.labels):,}{more} classes")
    if tally.num_repeated_ids:
        yield problem(
            f"{where}: {tally.num_repeated_ids} rows have the id of another, such as {tally.repeated_ids[0]!r}"
        )
    headers = setting.headers[name]
    num_looked = headers.num_read + len(headers.missing) + len(headers.no_photos)
    for what, files, section in (
        ("are not there", headers.missing, setting.fetch),
        ("are no photos", headers.no_photos, setting.clean),
    ):
        if files and section and len(files) > section.max_failure_rate * num_looked:
            yield problem(
                f"{where}: {len(files)} of {num_looked} sampled files {what}, such as {files[0]}; more than "
                f"max_failure_rate {section.max_failure_rate} allows"
            )


def check_classes(setting: Setting) -> Iterator[Finding]:
    """There are labels, licences, groups and regions where later stages ask for them, and a split that is given."""
    tallies, split = setting.counted, setting.split
    if not tallies or not split:
        yield UNREAD
        return
    num_rows = sum(tally.num_rows for tally in tallies)
    said = sum((tally.said for tally in tallies), Counter())
    counts = sum((tally.labels for tally in tallies), Counter())
    allowed = sum(tally.num_allowed for tally in tallies)
    seen = f"of {num_rows:,} photos{'' if setting.is_whole else ' that were looked at'}"
    if not counts:
        yield problem(f"no label in any {seen}; the stages after tfrecord need classes")
    elif setting.is_whole:
        num_classes = sum(count >= max(1, split.min_samples) for count in counts.values())
        if num_classes < 2:
            yield problem(f"split.min_samples {split.min_samples} leaves {num_classes} of {len(counts)} classes")
    if setting.clean and setting.clean.production_only and not allowed:
        yield problem(f"clean.production_only keeps none {seen}: no licence among them allows any use")
    columns = [entry.name for entry in ROW_FIELDS]
    for key, names in (("split.group_by", split.group_by), ("split.given", [split.given] if split.given else [])):
        for name in names:
            if name not in columns:
                yield problem(f"{key}: no column '{name}'; expected one of {', '.join(columns)}")
    if split.given == "given_split" and said["given_split"] < num_rows:
        yield problem(f"split.given: {num_rows - said['given_split']:,} {seen} name no split; expected one for each")
    regions = set().union(*(tally.regions for tally in tallies))
    for name, teacher in setting.teachers.items():
        if setting.is_whole and teacher.region and teacher.region not in regions:
            known = ", ".join(sorted(regions)) or "none at all"
            yield problem(f"train_teacher.{name}.region: no photo is in {teacher.region}; the sources name {known}")


def check_taxonomy(setting: Setting) -> Iterator[Finding]:
    """The taxonomy can be read at the ranks asked for, and knows the labels."""
    split = setting.split
    if not split or not split.taxonomy:
        return
    try:
        taxa = read_taxa(split.taxonomy, split.ranks)
    except CatalogueError as error:
        yield problem(error)
        return
    yield from _check_labels(taxa, setting, split.taxonomy.path)


def _check_labels(taxa: Taxa, setting: Setting, path: Path) -> Iterator[Finding]:
    labels = set().union(*(tally.labels for tally in setting.counted))
    known = labels & taxa.names
    if labels and not known:
        yield problem(f"{path}: none of {len(labels):,} labels is in it, such as {_with_nearest(min(labels), taxa)}")
    elif labels:
        lacks = f"; not {_with_nearest(min(labels - known), taxa)}" if labels - known else ""
        yield note(f"{path}: {len(known):,} of {len(labels):,} labels are in it{lacks}")


def _with_nearest(label: str, taxa: Taxa) -> str:
    nearest = Nearest(taxa.names).find(label)
    return f"{label!r} (nearest is {nearest!r})" if nearest else repr(label)


def check_lists(setting: Setting) -> Iterator[Finding]:
    """Further files that the params name are there."""
    clean, split, fetch, embed = setting.clean, setting.split, setting.fetch, setting.embed
    named = {
        "clean.replacements": clean and clean.replacements,
        "split.held_out.unseen": split and split.held_out.unseen,
        "split.held_out.seen": split and split.held_out.seen,
        "embed.review.truth": embed and embed.review.truth,
    }
    for key, path in named.items():
        if path and not path.is_file():
            yield problem(f"{key}: {path} is missing")
    try:
        if fetch and fetch.regions.polygons:
            fetch.regions.find(None, 0.0, 0.0)
    except CatalogueError as error:
        yield problem(f"fetch.regions.polygons: {error}")
