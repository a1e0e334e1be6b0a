"""A params file as checks see it: the sections that are valid, so that one wrong key hides no other problem."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from fieldguide.clean.params import CleanParams
from fieldguide.errors import CatalogueError, show_value
from fieldguide.fetch.params import FetchParams
from fieldguide.learn.params import BackboneParams, EmbedParams
from fieldguide.learn.student_params import DistillationParams
from fieldguide.learn.training_params import TeacherParams
from fieldguide.params import Section, describe, read_params
from fieldguide.records.params import ResizeParams
from fieldguide.sections import BY_NAME, SECTIONS
from fieldguide.split.params import SplitParams
from fieldguide.survey.headers import Headers, read_headers
from fieldguide.survey.tally import Tally, tally_rows

MOST_ROWS = 20_000
"""Rows of the sources that are read: enough to find what is wrong with all of them."""
MOST_PACKED_BYTES = 200 * 10**6
"""A larger packed table or archive would have to be read for minutes before its first row."""

SectionT = TypeVar("SectionT", bound=Section)


@dataclass(frozen=True)
class Setting:
    """One params file, read as far as it is valid."""

    file: Path
    params: dict[str, Any]
    sections: dict[str, Section]
    """Those that are as their models want them, by name: `resize`, `train_teacher.global`."""
    invalid: list[str]
    """What is wrong with the others."""

    @classmethod
    def read(cls, file: Path) -> "Setting":
        """Raises ParamsError if there is no such file, or if it is not YAML."""
        params = read_params(file)
        sections: dict[str, Section] = {}
        invalid = [
            f"section '{name}' is unknown; expected one of {', '.join(SECTIONS)}" for name in params.keys() - SECTIONS
        ]
        for name, model in SECTIONS.items():
            entries = params.get(name)
            if not isinstance(entries, dict) or (name in BY_NAME and not entries):
                invalid.append(f"section '{name}' is {show_value(entries)}; expected a mapping of its keys")
                continue
            named = {f"{name}.{key}": entry for key, entry in entries.items()} if name in BY_NAME else {name: entries}
            for full, entry in named.items():
                try:
                    sections[full] = model.model_validate(entry)
                except ValidationError as error:
                    invalid.append(describe(error, full, model, entry))
        return cls(file, params, sections, invalid)

    def _section(self, name: str, model: type[SectionT]) -> SectionT | None:
        section = self.sections.get(name)
        assert section is None or isinstance(section, model)
        return section

    @property
    def fetch(self) -> FetchParams | None:
        """None where it is not valid; so below."""
        return self._section("fetch", FetchParams)

    @property
    def clean(self) -> CleanParams | None:
        """What is kept."""
        return self._section("clean", CleanParams)

    @property
    def split(self) -> SplitParams | None:
        """Classes and splits."""
        return self._section("split", SplitParams)

    @property
    def resize(self) -> ResizeParams | None:
        """The records."""
        return self._section("resize", ResizeParams)

    @property
    def embed(self) -> EmbedParams | None:
        """The frozen network, and what is made of its answers."""
        return self._section("embed", EmbedParams)

    @property
    def student(self) -> DistillationParams | None:
        """The student."""
        return self._section("distill_student", DistillationParams)

    @property
    def teachers(self) -> dict[str, TeacherParams]:
        """The valid teachers by name."""
        found = {name: section for name, section in self.sections.items() if isinstance(section, TeacherParams)}
        return {name.partition(".")[2]: section for name, section in found.items()}

    def networks(self) -> Iterator[tuple[str, BackboneParams]]:
        """Every network with the key that describes it."""
        if self.embed:
            yield "embed.backbone", self.embed.backbone
        for name, section in self.sections.items():
            if isinstance(section, BackboneParams):
                yield name, section

    @cached_property
    def tallies(self) -> dict[str, Tally | str]:
        """What the first rows of each source say, or why that is not known; what is not looked at is absent."""
        found: dict[str, Tally | str] = {}
        if not self.fetch:
            return found
        for name, source in self.fetch.sources.items():
            if source.kind in ("sql", "mongodb") or "://" in str(getattr(source, "path", "")) or _is_slow(source):
                continue
            try:
                found[name] = tally_rows({name: source}, self.fetch.regions, MOST_ROWS)
            except CatalogueError as error:
                found[name] = str(error)
        return found

    @cached_property
    def headers(self) -> dict[str, Headers]:
        """What the sampled photos of each source are."""
        return {name: read_headers(tally.sample) for name, tally in self.tallies.items() if isinstance(tally, Tally)}

    @property
    def counted(self) -> list[Tally]:
        """The tallies of all sources that were read."""
        return [tally for tally in self.tallies.values() if isinstance(tally, Tally)]

    @property
    def is_whole(self) -> bool:
        """Whether every row of every source was counted."""
        num_sources = len(self.fetch.sources) if self.fetch else 0
        return len(self.counted) == num_sources and all(tally.is_whole for tally in self.counted)


def source_files(source: Section) -> list[Path]:
    """The files and folders on this machine that a source names."""
    path, root = getattr(source, "path", None), getattr(source, "root", None)
    return [Path(each) for each in (*getattr(source, "roots", ()), path, root) if each and "://" not in str(each)]


def _is_slow(source: Section) -> bool:
    """Whether its first row comes only after minutes."""
    files = [file for each in source_files(source) for file in (each.glob("*.gz") if each.is_dir() else [each])]
    packed = [file for file in files if file.suffix in (".gz", ".tgz", ".json") and file.is_file()]
    return sum(file.stat().st_size for file in packed) > MOST_PACKED_BYTES
