"""What a correct pipeline finds in the sample: the reason for every row, by the order in which reasons are decided."""

from collections import Counter
from collections.abc import Callable, Hashable
from functools import partial
from typing import Any

from sample.flora import FLORA, MISSING_FROM_TAXONOMY, RAREST
from sample.plan import FREE_LICENCES, TROUBLES, UNFREE_LICENCES, Row

REASONS = (
    "fetch_failed", "empty", "not_an_image", "bomb", "truncated", "unreadable", "too_small", "licence",
    "duplicate_url", "duplicate_bytes", "near_duplicate", "kept",
)  # fmt: skip
"""In the order in which they are decided: each row gets the first that applies."""

FAULTS = {
    "missing": "fetch_failed", "empty": "empty", "html": "not_an_image", "bomb": "bomb", "truncated": "truncated",
    "unreadable": "unreadable", "too_small": "too_small",
}  # fmt: skip


def judge(rows: list[Row], *, production_only: bool) -> list[tuple[str, int | None]]:
    """The reason for each row, and for duplicates the index of the first row that they repeat.

    Only rows that got through all that comes before are compared; the first in file order is kept.
    """
    verdicts: list[tuple[str, int | None]] = []
    for row in rows:
        fault = FAULTS.get(row.photo.encoding)
        unfree = production_only and row.licence not in FREE_LICENCES
        verdicts.append((fault or ("licence" if unfree else "kept"), None))
    same: tuple[tuple[str, Callable[[Row], Hashable]], ...] = (
        ("duplicate_url", lambda row: row.upload),
        ("duplicate_bytes", lambda row: row.photo),
        ("near_duplicate", _shot),
    )
    for reason, key in same:
        first: dict[Hashable, int] = {}
        for index, row in enumerate(rows):
            if verdicts[index][0] == "kept" and first.setdefault(key(row), index) != index:
                verdicts[index] = (reason, first[key(row)])
    return verdicts


def tell_truth(rows: list[Row], ids: list[str]) -> dict[str, Any]:
    """The content of truth.json for `rows` with these `ids`."""
    verdicts = judge(rows, production_only=True)
    reasons = Counter(reason for reason, _ in verdicts)
    any_licence = Counter(reason for reason, _ in judge(rows, production_only=False))
    kept = [index for index, (reason, _) in enumerate(verdicts) if reason == "kept"]
    num_rows = Counter(" ".join(row.label.split()) for row in rows)
    num_kept = Counter(" ".join(rows[index].label.split()) for index in kept)
    num_shots = Counter(rows[index].observation for index in kept)
    unfree = {_shot(row) for row in rows if row.licence not in FREE_LICENCES}
    odd: dict[str, Callable[[Row], bool]] = {
        **{kind: partial(_is_kind, kind=kind) for kind in TROUBLES if kind not in FAULTS},
        "near_duplicate_of_unfree": lambda row: row.kind == "near_duplicate" and _shot(row) in unfree,
        "several_photos_of_one_observation": lambda row: num_shots[row.observation] > 1,
        "no_region": lambda row: row.region is None,
        "species_missing_from_taxonomy": lambda row: row.label == MISSING_FROM_TAXONOMY,
        "species_below_min_samples": lambda row: row.label == RAREST,
    }
    return {
        "num_rows": len(rows),
        "num_kept": len(kept),
        "num_kept_with_any_licence": any_licence["kept"],
        "reasons": {reason: reasons[reason] for reason in REASONS},
        "reasons_with_any_licence": {reason: any_licence[reason] for reason in REASONS},
        "species": {s.name: {"rows": num_rows[s.name], "kept": num_kept[s.name]} for s in FLORA},
        "regions": dict(sorted(Counter(row.region or "" for row in rows).items())),
        "licences": dict.fromkeys(FREE_LICENCES, True) | dict.fromkeys(UNFREE_LICENCES, False),
        "missing_from_taxonomy": [MISSING_FROM_TAXONOMY],
        "below_min_samples": [RAREST],
        "kept_oddities": {kind: [ids[index] for index in kept if is_odd(rows[index])] for kind, is_odd in odd.items()},
        "label_errors": [
            {"id": ids[index], "label": rows[index].label, "true": FLORA[rows[index].photo.species].name}
            for index in kept
            if rows[index].kind == "label_error"
        ],
        "dropped": [
            {"id": ids[index], "reason": reason, "duplicate_of": None if of is None else ids[of]}
            for index, (reason, of) in enumerate(verdicts)
            if reason != "kept"
        ],
    }


def _is_kind(row: Row, kind: str) -> bool:
    return row.kind == kind


def _shot(row: Row) -> tuple[int, int]:
    """What a photo has in common with its near-duplicates."""
    return row.photo.plant, row.photo.shot
