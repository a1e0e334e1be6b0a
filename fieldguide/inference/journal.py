"""Answers as they come in, so that a killed prediction goes on: one JSON line a photo beside the output.

The first line says which model and settings gave them; answers of others are not mixed with them.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self, TextIO

from fieldguide.errors import RecordError
from fieldguide.evaluate.tree import Verdict
from fieldguide.inference.answer import Answer, Taxon


@dataclass(frozen=True)
class Line:
    """What is known of one photo: an answer, or why there is none."""

    file: str
    problem: str = ""
    answer: Answer | None = None
    label: str | None = None
    """What it is said to show."""

    def encoded(self) -> str:
        """As a line of JSON."""
        return json.dumps(asdict(self), ensure_ascii=True)

    @classmethod
    def decoded(cls, text: str) -> Self:
        """Of a line of JSON. Raises ValueError, KeyError or TypeError if it is none of ours."""
        content = json.loads(text)
        if given := content["answer"]:
            top = {rank: [Taxon(**each) for each in taxa] for rank, taxa in given["top"].items()}
            verdict, taxon = Verdict(given["verdict"]), Taxon(**given["taxon"])
            content["answer"] = Answer(verdict, taxon, top, given["max_error"], given["num_likely"])
        return cls(**content)


@dataclass
class Journal:
    """The answers so far."""

    path: Path
    lines: list[Line] = field(default_factory=list)
    _stream: TextIO | None = None

    @classmethod
    def open(cls, path: Path, settings: dict[str, Any]) -> "Journal":
        """Go on with the journal at `path`, or begin one. Raises RecordError if it is of other `settings`."""
        journal = cls(path)
        header = json.dumps(settings)
        kept = 0
        if path.exists():
            begun, *written = path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True) or [""]
            if begun.rstrip("\n") != header and begun.endswith("\n"):
                raise RecordError(f"{path} holds answers of another model or other settings; delete it, or use these")
            if begun.endswith("\n"):
                kept = len(begun.encode())
                for line in journal._read(written):
                    kept += len(line.encode())
        journal._stream = path.open("r+" if kept else "w", encoding="utf-8")
        # What a kill left of a last line goes.
        journal._stream.truncate(kept)
        journal._stream.seek(kept)
        if not kept:
            journal._stream.write(header + "\n")
        return journal

    def _read(self, written: list[str]) -> Iterator[str]:
        for line in written:
            try:
                self.lines.append(Line.decoded(line))
            except (ValueError, KeyError, TypeError):
                return
            yield line

    def add(self, lines: list[Line]) -> None:
        """Keep more answers, on the disk too."""
        assert self._stream
        self._stream.write("".join(f"{line.encoded()}\n" for line in lines))
        self._stream.flush()
        self.lines += lines

    def close(self) -> None:
        """Close the file, which stays."""
        if self._stream:
            self._stream.close()

    def discard(self) -> None:
        """Delete the file."""
        self.close()
        self.path.unlink(missing_ok=True)
