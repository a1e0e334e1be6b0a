"""The files that answers are written as."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from fieldguide.evaluate.tree import Verdict
from fieldguide.files import write_json
from fieldguide.inference.answer import Answer, Taxon
from fieldguide.inference.journal import Line
from fieldguide.spreadsheet import write_csv

NOTHING: Final = "nothing in this guide"
SPECIESNET_RANKS: Final = ("class", "order", "family", "genus", "species")
DARWIN_CORE_RANKS: Final = ("kingdom", "phylum", "class", "order", "family", "genus")

Rows = Sequence[Line]
Write = Callable[[Path, Rows, str], None]
"""Writes lines to a path, whole or not at all; the last argument names the model."""


def write_table(path: Path, lines: Rows, model: str) -> None:
    """CSV: file, rank, name, vernacular, probability, lineage, then name and probability of the likeliest, problem."""
    num_top = max((len(_first(line.answer)) for line in lines if line.answer), default=0)
    top = [name for place in range(1, num_top + 1) for name in (f"name_{place}", f"probability_{place}")]
    header = ["file", "rank", "name", "vernacular", "probability", "lineage", *top, "problem"]
    write_csv(path, header, (_table_row(line, num_top) for line in lines))


def _table_row(line: Line, num_top: int) -> list[object]:
    if line.answer is None:
        return [line.file, *[""] * (5 + 2 * num_top), line.problem]
    taxon, named = line.answer.taxon, not line.answer.verdict.is_nothing
    lineage = " > ".join(reversed([*taxon.lineage.values()])) if named else ""
    probability = "" if line.answer.verdict is Verdict.STRANGE else _round(taxon)
    said = [taxon.rank, taxon.name, taxon.vernacular] if named else ["", NOTHING, ""]
    top = [cell for each in _first(line.answer) for cell in (each.name, _round(each))]
    return [line.file, *said, probability, lineage, *top, *[""] * (2 * num_top - len(top)), ""]


def write_json_file(path: Path, lines: Rows, model: str) -> None:
    """JSON: `{"model": ..., "photos": [{"file": ..., "verdict": ..., "taxon": ..., "top": ..., "max_error": ...,
    "num_likely": ...}, ...]}`.
    """
    write_json(path, {"model": model, "photos": [_json_entry(line) for line in lines]})


def _json_entry(line: Line) -> dict[str, Any]:
    if line.answer is None:
        return {"file": line.file, "problem": line.problem}
    return {"file": line.file, **json.loads(json.dumps(asdict(line.answer)))}


def write_darwin_core(path: Path, lines: Rows, model: str) -> None:
    """CSV with Darwin Core's terms, a machine observation a photo; photos without an answer are left out."""
    header = [
        "occurrenceID",
        "basisOfRecord",
        "associatedMedia",
        "scientificName",
        "taxonRank",
        *DARWIN_CORE_RANKS,
        "vernacularName",
        "identifiedBy",
        "identificationVerificationStatus",
        "identificationRemarks",
    ]
    write_csv(path, header, (_darwin_core_row(line, model) for line in lines if line.answer))


def _darwin_core_row(line: Line, model: str) -> list[object]:
    assert line.answer
    taxon, named = line.answer.taxon, line.answer.verdict is Verdict.TAXON
    places = {**taxon.lineage, taxon.rank: taxon.name} if named else {}
    remarks = f"probability {_round(taxon)}" if named else NOTHING
    return [
        line.file,
        "MachineObservation",
        line.file,
        taxon.name if named else "",
        taxon.rank if named else "",
        *(places.get(rank, "") for rank in DARWIN_CORE_RANKS),
        taxon.vernacular if named else "",
        model,
        "unverified",
        remarks,
    ]


def write_speciesnet(path: Path, lines: Rows, model: str) -> None:
    """JSON as google/cameratrapai writes it, for tools of camera traps; all labels come from the classifier."""
    write_json(path, {"predictions": [_speciesnet_entry(line, model) for line in lines]})


def _speciesnet_entry(line: Line, model: str) -> dict[str, Any]:
    if line.answer is None:
        return {"filepath": line.file, "failures": ["CLASSIFIER"], "model_version": model}
    first = _first(line.answer)
    named = line.answer.verdict is Verdict.TAXON
    return {
        "filepath": line.file,
        "classifications": {
            "classes": [_speciesnet_label(taxon) for taxon in first],
            "scores": [_round(taxon) for taxon in first],
        },
        "prediction": _speciesnet_label(line.answer.taxon) if named else ";;;;;;",
        "prediction_score": _round(line.answer.taxon),
        "prediction_source": "classifier" if named else "unknown",
        "model_version": model,
    }


def _speciesnet_label(taxon: Taxon) -> str:
    """`id;class;order;family;genus;epithet;common name`; the id, which only their taxonomy has, is empty."""
    places = {**taxon.lineage, taxon.rank: taxon.name}
    genus = places.get("genus", "")
    places["species"] = places.get("species", "").removeprefix(f"{genus} ")
    parts = [places.get(rank, "").lower() for rank in SPECIESNET_RANKS]
    return ";".join(part.replace(";", ",") for part in ("", *parts, taxon.vernacular.lower()))


def _first(answer: Answer) -> Sequence[Taxon]:
    """The likeliest taxa of the finest rank."""
    return next(iter(answer.top.values()))


def _round(taxon: Taxon) -> float:
    return round(taxon.probability, 4)


FORMATS: Final[Mapping[str, Write]] = {
    "csv": write_table,
    "json": write_json_file,
    "darwincore": write_darwin_core,
    "speciesnet": write_speciesnet,
}
