"""The texts beside each photo of the tree of life: its names, and captions made of them, for contrastive training.

Ten members a sample, as in the released TreeOfLife-10M (Stevens et al., "BioCLIP: a vision foundation model for the
tree of life", CVPR 2024): three names and seven captions, `a photo of NAME.`, with scientific, common and taxonomic
names.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from fieldguide.catalogue.taxonomy import OTHER, Lineage, Taxonomy

RANKS: Final = ("kingdom", "phylum", "class", "order", "family", "genus", "species")
"""From the broadest, as the captions name them; other ranks, such as `group`, are in none."""
NAMELESS: Final = "an organism"
"""What a caption calls a photo of which no name is known."""
HOMONYM: Final = re.compile(r" \([^)]*\)$")
"""What tells two taxa of one name apart in the taxonomy, `Oenanthe (Apiaceae)`, is no part of the name."""


class Members(StrEnum):
    """What a sample of the tars consists of."""

    PLAIN = "plain"
    """The image and its JSON."""
    TREEOFLIFE = "treeoflife"
    """The ten texts too."""


@dataclass(frozen=True)
class Names:
    """What a taxon is called."""

    ranks: Mapping[str, str]
    """Those of RANKS that are known, the species without its genus."""
    vernacular: str | None = None

    @property
    def scientific(self) -> str:
        """`Puma concolor`; a genus alone where no more is known, and empty above that."""
        return " ".join(self.ranks[rank] for rank in RANKS[-2:] if rank in self.ranks)

    @property
    def taxonomic(self) -> str:
        """`Animalia Chordata ... Puma concolor`."""
        return " ".join(self.ranks[rank] for rank in RANKS if rank in self.ranks)

    @property
    def tagged(self) -> str:
        """`kingdom Animalia phylum Chordata ... genus Puma species concolor`."""
        return " ".join(f"{rank} {self.ranks[rank]}" for rank in RANKS if rank in self.ranks)

    @property
    def common(self) -> str:
        """The vernacular name; without one the scientific, else the taxonomic."""
        return self.vernacular or self.scientific or self.taxonomic


def name_taxon(label: str, told: Lineage, taxonomy: Taxonomy) -> Names:
    """The names of a photo's taxon by its label and its class names at each rank, of which `other` says nothing."""
    first = taxonomy.ranks[0]
    lineage = taxonomy.parents.get(first, {}).get(label) or taxonomy.merged_into_other.get(label)
    known = lineage or {rank: name for rank, name in told.items() if rank != first and name != OTHER}
    ranks: dict[str, str] = {rank: HOMONYM.sub("", known[rank]) for rank in RANKS[:-1] if rank in known}
    if label != OTHER and label not in known.values():
        genus, _, epithet = label.partition(" ")
        if epithet and ranks.setdefault("genus", genus) == genus:
            ranks["species"] = epithet.lower()
        else:
            ranks["species"] = label
    return Names({rank: ranks[rank] for rank in RANKS if rank in ranks}, taxonomy.vernacular.get(label))


def write_texts(names: Names) -> dict[str, str]:
    """The ten members by what follows the sample's key and a dot, in the order of the released set."""
    scientific, taxonomic, tagged, common = (
        text or NAMELESS for text in (names.scientific or names.taxonomic, names.taxonomic, names.tagged, names.common)
    )
    return {
        "scientific_name.txt": names.scientific,
        "taxonomic_name.txt": names.taxonomic,
        "common_name.txt": names.common,
        "sci.txt": f"a photo of {scientific}.",
        "com.txt": f"a photo of {common}.",
        "taxon.txt": f"a photo of {taxonomic}.",
        "taxonTag.txt": f"a photo of {tagged}.",
        "sci_com.txt": f"a photo of {scientific} with common name {common}.",
        "taxon_com.txt": f"a photo of {taxonomic} with common name {common}.",
        "taxonTag_com.txt": f"a photo of {tagged} with common name {common}.",
    }
