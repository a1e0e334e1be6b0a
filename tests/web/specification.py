"""What may be said of photos, written out slowly: docs/formats.md (models/tfjs, Answers), word for word.

`python -m tests.web.specification` writes answers_drawn.json anew: guides and logits drawn at random, and what is said.
"""

import json
import math
import random
from pathlib import Path
from typing import Any

DRAWN = Path(__file__).with_name("answers_drawn.json")
NUM_GUIDES, CALIBRATIONS_EACH, CASES_EACH = 50, 5, 40
CLOSE = 1e-4
"""Cases in which less than this decides are left out: nobody can say what is right."""

Guide = dict[str, Any]
Case = dict[str, Any]
Calibration = dict[str, Any]


def softmax(logits: list[float], temperature: float) -> list[float]:
    top = max(logits)
    weights = [math.exp((logit - top) / temperature) for logit in logits]
    return [weight / math.fsum(weights) for weight in weights]


def fuse(photos: list[list[float]], exponent: float) -> list[float]:
    """Logits of several photos: their mean, times their number to the power of the exponent."""
    return [len(photos) ** exponent * math.fsum(column) / len(photos) for column in zip(*photos, strict=True)]


def order_of(guide: Guide) -> list[str]:
    """Ranks from the finest to the broadest: the first one, then by falling number of classes."""
    first, *others = guide["ranks"]
    return [first, *sorted(others, key=lambda rank: -len(guide["classes"][rank]))]


def left_out(guide: Guide, rank: str) -> set[str]:
    """What a guide of some regions never names: species that are not kept, and taxa all of whose species are not."""
    if guide["kept"] is None:
        return set()
    species, *_ = guide["ranks"]
    gone = {name for name in guide["classes"][species] if name != "other" and name not in guide["kept"]}
    if rank == species:
        return gone
    absent = set()
    for name in guide["classes"][rank]:
        below = {each for each, above in guide["parents"][species].items() if above.get(rank) == name}
        if below and below <= gone:
            absent.add(name)
    return absent


def heads_of(guide: Guide, case: Case, calibration: Calibration) -> dict[str, list[float]]:
    """Logits of each rank's classes, of all photos together; what is left out has none."""
    logits, start, heads = fuse(case["photos"], calibration["fusion_exponent"]), 0, {}
    for rank in guide["ranks"]:
        end = start + len(guide["classes"][rank])
        absent = left_out(guide, rank)
        names = guide["classes"][rank]
        heads[rank] = [-math.inf if name in absent else at for name, at in zip(names, logits[start:end], strict=True)]
        start = end
    return heads


def shares_of(guide: Guide, case: Case, calibration: Calibration) -> tuple[dict[tuple[str, str], float], float]:
    """By rank and name what each taxon has that no finer one could name; and what no rank could name."""
    logits = heads_of(guide, case, calibration)
    heads = {rank: softmax(logits[rank], calibration["temperatures"].get(rank, 1)) for rank in guide["ranks"]}
    shares, unnamed = {}, 1.0
    for rank in order_of(guide):
        chances = dict(zip(guide["classes"][rank], heads[rank], strict=True))
        for name, chance in chances.items():
            if name != "other":
                shares[rank, name] = unnamed * chance
        unnamed *= chances["other"]
    return shares, unnamed


def probabilities(guide: Guide, case: Case, calibration: Calibration) -> dict[str, dict[str, float]]:
    """Of every class of every rank: its own share and those of all taxa below it."""
    shares, _ = shares_of(guide, case, calibration)
    order, found = order_of(guide), {}
    for place, rank in enumerate(order):
        names = {name: [] for name in guide["classes"][rank] if name != "other"}
        for (own_rank, name), share in shares.items():
            if own_rank == rank:
                names[name].append(share)
            elif order.index(own_rank) < place:
                above = guide["parents"][own_rank].get(name, {}).get(rank)
                if above in names:
                    names[above].append(share)
        sums = {name: math.fsum(parts) for name, parts in names.items()}
        found[rank] = {name: sums.get(name, 1 - math.fsum(sums.values())) for name in guide["classes"][rank]}
    return found


def rule_of(guide: Guide, case: Case, calibration: Calibration) -> dict[str, Any]:
    """What was chosen for as many photos, placed or not; else, and for a guide of some regions, the fallback."""
    num_photos = len(case["photos"])
    name = ("one" if num_photos == 1 else "several") + ("_placed" if case["placed"] else "")
    is_known = (
        guide["kept"] is None and num_photos <= calibration["most_photos"] and name in calibration["rules"]["measured"]
    )
    found: dict[str, Any] = calibration["rules"]["measured"][name] if is_known else calibration["rules"]["fallback"]
    return found


def count_likely(chances: list[float], limit: float, penalty: float) -> int | None:
    """How many classes are on the short list; None where too little decides."""
    finest = sorted(chances, reverse=True)
    sums = [math.fsum(finest[: end + 1]) + penalty * end for end in range(len(finest))]
    if any(abs(each - limit) < CLOSE for each in sums):
        return None
    return max(1, sum(each <= limit for each in sums))


def answer(guide: Guide, case: Case, calibration: Calibration) -> tuple[str, str, str, int] | None:
    """Verdict, rank and name that are said, length of the short list (0: none); None where too little decides."""
    chances, order = probabilities(guide, case, calibration), order_of(guide)
    rule, penalty = rule_of(guide, case, calibration), calibration["set_penalty"]
    limit = rule["set_limit"]
    num_likely = 0 if limit is None else count_likely(list(chances[order[0]].values()), limit, penalty)
    if num_likely is None:
        return None
    least, measured = rule["min_familiarity"], [each for each in case["familiarity"] if each is not None]
    familiar = math.fsum(measured) / len(measured) if measured else math.inf
    if least is not None and abs(familiar - least) < CLOSE:
        return None
    if least is not None and familiar < least:
        return ("strange", order[-1], "other", num_likely)
    for rank in order:
        named = {name: chance for name, chance in chances[rank].items() if name != "other"}
        best, *others = sorted(named, key=lambda name: -named[name])
        threshold = rule["thresholds"][rank]
        if abs(named[best] - threshold) < CLOSE:
            return None
        if named[best] >= threshold:
            is_close = others and named[best] - named[others[0]] < CLOSE
            return None if is_close else ("taxon", rank, best, num_likely)
    broadest = chances[order[-1]]
    best, second, *_ = sorted(broadest, key=lambda name: -broadest[name])
    if broadest[best] - broadest[second] < CLOSE:
        return None
    return ("outside" if best == "other" else "unsure", order[-1], best, num_likely)


def draw_guide(draw: random.Random) -> Guide:
    """Species in genera in families, some of them in none, perhaps without a rank; in any order but the first."""
    num_species, num_genera, num_families = draw.randint(2, 7), draw.randint(1, 4), draw.randint(1, 3)
    genera = [f"genus {i}" for i in range(num_genera)]
    families = [f"family {i}" for i in range(num_families)]
    parents: dict[str, dict[str, dict[str, str]]] = {"species": {}, "genus": {}, "family": {}}
    for genus in genera:
        if draw.random() < 0.9:
            parents["genus"][genus] = {"family": draw.choice(families)}
    for i in range(num_species):
        genus = draw.choice(genera)
        above = {"genus": genus, **parents["genus"].get(genus, {})}
        kept = {rank: name for rank, name in above.items() if draw.random() < 0.9}
        parents["species"][f"species {i}"] = kept
    # Some taxa are above a class and yet no class themselves.
    classes = {"species": list(parents["species"]), "genus": genera, "family": families}
    if num_genera > 1 and draw.random() < 0.3:
        parents["genus"].pop(genera.pop(), None)
    ranks = ["species", *draw.sample(["genus", "family"], draw.randint(1, 2))]
    for rank in ranks:
        classes[rank].insert(draw.randrange(len(classes[rank]) + 1), "other")
    return {
        "ranks": ranks,
        "classes": {rank: classes[rank] for rank in ranks},
        "parents": {rank: parents[rank] for rank in ranks},
        "vernacular": {},
        "kept": None
        if draw.random() < 0.7
        else [name for name in classes["species"] if name != "other" and draw.random() < 0.5],
    }


def draw_rule(guide: Guide, draw: random.Random, is_measured: bool) -> dict[str, Any]:
    """A threshold for each rank; a limit of the short lists only where there was something to measure."""
    return {
        "thresholds": {rank: draw.choice([0, 0.3, 0.6, 0.75, 0.9, 1.0025]) for rank in guide["ranks"]},
        "min_familiarity": draw.choice([None, -6.0, -4.0, -3.0]),
        "set_limit": draw.choice([None, 0.5, 0.9, 0.99, 1.1]) if is_measured else None,
        "num_chosen_by": draw.randint(50, 900) if is_measured else 0,
    }


def draw_calibration(guide: Guide, draw: random.Random) -> Calibration:
    """With rules for some situations."""
    situations = [name for name in ("one", "several", "one_placed", "several_placed") if draw.random() < 0.7]
    return {
        "temperatures": {rank: round(draw.uniform(0.3, 3), 2) for rank in guide["ranks"] if draw.random() < 0.9},
        "rules": {
            "measured": {name: draw_rule(guide, draw, is_measured=True) for name in situations},
            "fallback": draw_rule(guide, draw, is_measured=False),
        },
        "most_photos": draw.choice([2, 3, 3]),
        "max_error": 0.05,
        "set_target": 0.9,
        "set_penalty": draw.choice([0, 0.05, 0.2]),
        "fusion_exponent": draw.choice([0, 0, 0.5, 1]),
    }


def draw_case(guide: Guide, draw: random.Random) -> Case:
    """One to three photos of which a model is more or less sure, and which of the calibrations it has."""
    num_outputs, scale = sum(map(len, guide["classes"].values())), draw.choice([0.3, 1, 3, 8])
    num_photos, is_measured = draw.choice([1, 1, 2, 3]), draw.random() < 0.8
    return {
        "photos": [[round(draw.gauss(0, scale), 2) for _ in range(num_outputs)] for _ in range(num_photos)],
        "familiarity": [round(draw.gauss(-3, 1.5), 2) if is_measured else None for _ in range(num_photos)],
        "placed": draw.random() < 0.4,
        "calibration": draw.randrange(CALIBRATIONS_EACH),
    }


def draw_all(seed: int = 13) -> list[dict[str, Any]]:
    """Guides, each with its cases: what each taxon's probability is (in the order of the classes), and what is said."""
    draw, drawn = random.Random(seed), []
    for _ in range(NUM_GUIDES):
        guide, cases = draw_guide(draw), []
        calibrations = [draw_calibration(guide, draw) for _ in range(CALIBRATIONS_EACH)]
        while len(cases) < CASES_EACH:
            case = draw_case(guide, draw)
            calibration = calibrations[case["calibration"]]
            if said := answer(guide, case, calibration):
                chances = probabilities(guide, case, calibration)
                shown = {rank: [round(chance, 8) for chance in chances[rank].values()] for rank in guide["ranks"]}
                cases.append({**case, "probabilities": shown, "said": list(said)})
        drawn.append({"labels": guide, "calibrations": calibrations, "cases": cases})
    return drawn


def as_text(drawn: list[dict[str, Any]]) -> str:
    """One line for each guide and for each case."""
    guides = []
    for each in drawn:
        cases = ",\n  ".join(json.dumps(case, separators=(",", ":")) for case in each["cases"])
        labels, calibrations = (json.dumps(each[name]) for name in ("labels", "calibrations"))
        guides.append(f' {{"labels": {labels},\n  "calibrations": {calibrations},\n  "cases": [\n  {cases}]}}')
    return "[\n" + ",\n".join(guides) + "\n]\n"


if __name__ == "__main__":
    DRAWN.write_text(as_text(draw_all()), encoding="utf-8")
