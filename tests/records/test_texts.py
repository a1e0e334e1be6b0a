"""Names and captions of the tree of life, as the released set writes them."""

import pytest

from fieldguide.catalogue.taxonomy import Taxonomy
from fieldguide.records.texts import name_taxon, write_texts

CAT = {"genus": "Puma", "family": "Felidae", "order": "Carnivora", "class": "Mammalia", "phylum": "Chordata"}
TAXONOMY = Taxonomy(
    ranks=["species", "genus", "family", "order", "class", "phylum", "kingdom", "group"],
    classes={},
    parents={"species": {"Puma concolor": CAT | {"kingdom": "Animalia", "group": "Mammals"}}},
    merged_into_other={
        "Oenanthe aquatica": {"genus": "Oenanthe (Apiaceae)", "family": "Apiaceae"},
        "Felidae": {"family": "Felidae"},
    },
    vernacular={"Puma concolor": "cougar"},
    regions={},
)


def test_the_ten_texts() -> None:
    taxonomic = "Animalia Chordata Mammalia Carnivora Felidae Puma concolor"
    tagged = (
        "kingdom Animalia phylum Chordata class Mammalia order Carnivora family Felidae genus Puma species concolor"
    )
    assert write_texts(name_taxon("Puma concolor", {}, TAXONOMY)) == {
        "scientific_name.txt": "Puma concolor",
        "taxonomic_name.txt": taxonomic,
        "common_name.txt": "cougar",
        "sci.txt": "a photo of Puma concolor.",
        "com.txt": "a photo of cougar.",
        "taxon.txt": f"a photo of {taxonomic}.",
        "taxonTag.txt": f"a photo of {tagged}.",
        "sci_com.txt": "a photo of Puma concolor with common name cougar.",
        "taxon_com.txt": f"a photo of {taxonomic} with common name cougar.",
        "taxonTag_com.txt": f"a photo of {tagged} with common name cougar.",
    }


@pytest.mark.parametrize(
    ("label", "told", "scientific", "tagged", "common"),
    [
        # Too few photos for a class: the name is known all the same.
        (
            "Oenanthe aquatica",
            {"species": "other", "genus": "other"},
            "Oenanthe aquatica",
            "family Apiaceae genus Oenanthe species aquatica",
            "Oenanthe aquatica",
        ),
        # Held out from training: the ranks that others share.
        (
            "Puma yagouaroundi",
            {"species": "other", "genus": "Puma", "family": "Felidae"},
            "Puma yagouaroundi",
            "family Felidae genus Puma species yagouaroundi",
            "Puma yagouaroundi",
        ),
        ("Rosa × alba", {}, "Rosa × alba", "genus Rosa species × alba", "Rosa × alba"),
        ("Puma", {"genus": "Puma", "family": "Felidae"}, "Puma", "family Felidae genus Puma", "Puma"),
        ("Felidae", {"family": "Felidae"}, "", "family Felidae", "Felidae"),
        ("cat", {}, "cat", "species cat", "cat"),
        ("other", {"species": "other", "family": "Felidae"}, "", "family Felidae", "Felidae"),
        ("other", {"species": "other"}, "", "", ""),
    ],
)
def test_what_is_known_is_named(label: str, told: dict[str, str], scientific: str, tagged: str, common: str) -> None:
    names = name_taxon(label, told, TAXONOMY)
    assert (names.scientific, names.tagged, names.common) == (scientific, tagged, common)


def test_captions_without_a_name() -> None:
    texts = write_texts(name_taxon("other", {}, TAXONOMY))
    assert (texts["common_name.txt"], texts["taxonTag.txt"]) == ("", "a photo of an organism.")
    assert write_texts(name_taxon("Felidae", {}, TAXONOMY))["sci.txt"] == "a photo of Felidae."
