"""What a bundle says of itself beside the model's files: examples to try, and the card."""

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from fieldguide.catalogue.taxonomy import OTHER, Taxonomy
from fieldguide.evaluate.rules import Situation
from fieldguide.export.bundle import bundle_megabytes, write_examples
from fieldguide.export.credits import count_licences, pick_examples, read_credits
from fieldguide.export.model_card import CardFacts, write_card
from fieldguide.export.page import personalise_page
from fieldguide.export.params import ExportTfjsParams
from fieldguide.export.species import write_species
from fieldguide.export.student import Evaluation
from fieldguide.learn.description import NetworkSpec
from fieldguide.records.reader import RecordSet


def describe_bundle(
    bundle: Path,
    student: NetworkSpec,
    evaluation: Evaluation,
    test: RecordSet,
    *,
    train: RecordSet,
    split: Path,
    catalogue: Path,
    embed: Path | None,
    mix_ups: Path,
    notes: Mapping[str, Mapping[str, str]],
    parity: Mapping[str, Mapping[str, float]],
    quantization: Mapping[str, Mapping[str, float]],
    params: ExportTfjsParams,
) -> None:
    """Write examples.json and species.json with their photos, MODEL_CARD.md and the page's own texts into `bundle`.

    The page must be there.

    `split` is the folder of the split stage, `catalogue` the table of all photos, `test` where examples come from,
    `train` where reference photos do; `embed`, `mix_ups` and `notes` are as in `write_species`.
    """
    taxonomy = Taxonomy.read(split / "taxonomy.json")
    photos = pl.read_parquet(split / "split.parquet", columns=["photo_id", "split"])
    credits = read_credits(catalogue, photos["photo_id"])
    trained_on = credits.join(photos.filter(pl.col("split") == "train"), on="photo_id", how="semi")
    personalise_page(bundle, params.page)
    write_examples(bundle, pick_examples(test, credits, params.num_examples))
    write_species(
        bundle,
        student.classes[student.ranks[0]],
        train,
        embed=embed,
        catalogue=catalogue,
        mix_ups=mix_ups,
        notes=notes,
        max_megabytes=params.reference_photos_mb,
    )
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
        rule=evaluation.rules_of(student.ranks).find(Situation.ONE),
        max_error=evaluation.max_error,
        model_megabytes=bundle_megabytes(bundle, "group1-shard*.bin"),
    )
    write_card(bundle, facts)
