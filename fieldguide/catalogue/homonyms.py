"""Names that mean several taxa: Oenanthe is a genus of birds, and another of plants.

What has one name but no parent in common is two taxa, and each is named with its parent, `Oenanthe (Apiaceae)`. What
agrees further up is one taxon in a table that contradicts itself. Both are told in the log.
"""

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from fieldguide.catalogue.taxonomy import Lineage

log = logging.getLogger(__name__)

TRUE_RANKS: Final = ("genus", "family", "order", "class", "phylum", "kingdom")
"""Where a name has one parent; a `group` or a rank of a table's own need not lie within one of another."""


def tell_homonyms_apart(lineages: Mapping[str, Lineage], ranks: Sequence[str], where: str) -> dict[str, Lineage]:
    """`lineages` of species in which no name at a true rank means taxa that share no parent.

    `ranks` are the table's, but for the first; `where` names it in the log.
    """
    told = {species: dict(lineage) for species, lineage in lineages.items()}
    ladder = [rank for rank in TRUE_RANKS if rank in ranks]
    # From above, so that a genus is named with its family's final name.
    for place in reversed(range(len(ladder) - 1)):
        rank, above = ladder[place], ladder[place + 1 :]
        members: defaultdict[str, list[Lineage]] = defaultdict(list)
        for lineage in told.values():
            if rank in lineage:
                members[lineage[rank]].append(lineage)
        for name, those in members.items():
            _settle(name, rank, above, those, where)
    return told


def _settle(name: str, rank: str, above: Sequence[str], lineages: Sequence[Lineage], where: str) -> None:
    """Rename `name` in those of its `lineages` that share nothing, and tell of any contradiction between them."""
    parents = {up: sorted({lineage[up] for lineage in lineages if up in lineage}) for up in above}
    known = [up for up in above if parents[up]]
    disputed = [up for up in known if len(parents[up]) > 1]
    if not disputed:
        return
    up = disputed[0]
    claim = f"{where}: the {rank} {name} stands below the {up} {f', the {up} '.join(parents[up])}"
    if disputed != known:
        log.warning("%s, all of one %s; expected one, the most frequent counts", claim, min(set(known) - set(disputed)))
        return
    log.warning("%s; each %s is a class of its own, such as %s", claim, rank, f"{name} ({parents[up][0]})")
    for lineage in lineages:
        if up in lineage:
            lineage[rank] = f"{name} ({lineage[up]})"
