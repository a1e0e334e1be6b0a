"""MODEL_CARD.md: what the model is, how well it does, what it was trained on and under which licences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2

from fieldguide.evaluate.rules import MeasuredRisk, Rule
from fieldguide.export.credits import LicenceCount
from fieldguide.export.params import Quantization
from fieldguide.files import written_whole
from fieldguide.learn.description import NetworkSpec
from fieldguide.text import printable

CARD = "MODEL_CARD.md"
TEMPLATE = Path(__file__).with_name("model_card.md.jinja")


@dataclass(frozen=True)
class CardFacts:
    """What the card tells."""

    network: NetworkSpec
    num_classes: Mapping[str, int]
    """By rank, `other` not counted."""
    num_merged_into_other: int
    """Species that became `other`."""
    num_photos: Mapping[str, int]
    """By split."""
    licences: Sequence[LicenceCount]
    evaluation: Mapping[str, float]
    """The student's rates on the test photos, empty if it was not evaluated."""
    parity: Mapping[str, Mapping[str, float]]
    quantization: str
    kinds_of_weights: Mapping[Quantization, Mapping[str, float]]
    """What each would cost: `megabytes`, `max_abs_logit_error`, `top1`."""
    temperatures: Mapping[str, float]
    """By rank."""
    rule: Rule
    """When it answers to one photo."""
    tests: Mapping[str, MeasuredRisk]
    """How its answers went on the test photos, by what it was told; empty where that is no guide to this bundle."""
    max_error: float | None
    """The share of photos that may get a wrong taxon, if it was measured what keeps it."""
    model_megabytes: float


def write_card(bundle: Path, facts: CardFacts) -> None:
    """Write MODEL_CARD.md into the bundle."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATE.parent),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # Markdown; `cell` is what keeps other people's words inside their cell
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["cell"] = _cell
    with written_whole(bundle / CARD) as temporary:
        temporary.write_text(environment.get_template(TEMPLATE.name).render(facts=facts), encoding="utf-8")


def _cell(text: object) -> str:
    """`text` as one harmless cell of a Markdown table."""
    plain = printable(" ".join(str(text).split()))
    return "".join(f"\\{letter}" if letter in "\\|[]<>`*$~" else letter for letter in plain)
