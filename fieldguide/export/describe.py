"""What a bundle says of itself beside the model's files: examples to try, and the card."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from fieldguide.catalogue.taxonomy import OTHER, Taxonomy
from fieldguide.evaluate.rules import Situation
from fieldguide.export.bundle import bundle_megabytes, write_examples
from fieldguide.export.credits import count_licences, pick_examples, read_credits
from fieldguide.export.model_card import CardFacts, write_card
from fieldguide.export.page import personalise_page, start_downloads_early
from fieldguide.export.params import ExportTfjsParams, Quantization
from fieldguide.export.species import write_species
from fieldguide.export.student import Evaluation
from fieldguide.learn.description import NetworkSpec
from fieldguide.records.reader import RecordSet


@dataclass(frozen=True)
class Sources:
    """What the earlier stages say of photos and species."""

    test: RecordSet
    """Where examples come from."""
    train: RecordSet
    """Where reference photos come from."""
    split: Path
    """The folder of the split stage."""
    catalogue: Path
    """The table of all photos."""
    embed: Path | None
    """Embeddings of the records; without them there are no reference photos."""
    mix_ups: Path
    """Which species the student took for which."""
    notes: Mapping[str, Mapping[str, str]]
    """What else is told of species, by name (notes.py)."""


def describe_bundle(
    bundle: Path,
    student: NetworkSpec,
    evaluation: Evaluation,
    sources: Sources,
    *,
    parity: Mapping[str, Mapping[str, float]],
    quantization: Mapping[Quantization, Mapping[str, float]],
    params: ExportTfjsParams,
) -> None:
    """Write examples.json and species.json with their photos, MODEL_CARD.md and the page's own texts into `bundle`.

    The page must be there.
    """
    taxonomy = Taxonomy.read(sources.split / "taxonomy.json")
    photos = pl.read_parquet(sources.split / "split.parquet", columns=["photo_id", "split"])
    credits = read_credits(sources.catalogue, photos["photo_id"])
    trained_on = credits.join(photos.filter(pl.col("split") == "train"), on="photo_id", how="semi")
    personalise_page(bundle, params.page)
    start_downloads_early(bundle)
    write_examples(bundle, pick_examples(sources.test, credits, params.num_examples))
    write_species(
        bundle,
        student.classes[student.ranks[0]],
        sources.train,
        embed=sources.embed,
        catalogue=sources.catalogue,
        mix_ups=sources.mix_ups,
        notes=sources.notes,
        max_megabytes=params.reference_photos_mb,
    )
    rules = evaluation.rules_of(student.ranks)
    # What was measured is about all species; a guide of some regions leaves out others (answer.js).
    rule, measured = (rules.fallback, {}) if params.regions else (rules.find(Situation.ONE), rules.measured)
    facts = CardFacts(
        network=student,
        num_classes={rank: len(set(names) - {OTHER}) for rank, names in student.classes.items()},
        num_merged_into_other=len(taxonomy.merged_into_other),
        num_photos={name: photos.filter(pl.col("split") == name).height for name in ("train", "val", "test")},
        licences=count_licences(trained_on),
        evaluation=evaluation.rates,
        parity=parity,
        quantization=params.quantization,
        kinds_of_weights=quantization,
        temperatures=evaluation.temperatures_of(student.ranks),
        rule=rule,
        tests={told.value: each.tested for told, each in measured.items() if each.tested},
        max_error=evaluation.max_error,
        model_megabytes=bundle_megabytes(bundle, "group1-shard*"),
    )
    write_card(bundle, facts)
