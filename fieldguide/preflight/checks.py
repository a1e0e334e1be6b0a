"""Every check that is made before the first stage, as a table."""

from collections.abc import Callable, Iterator, Mapping

from fieldguide.consistency import RULES, WHOLE_RULES
from fieldguide.preflight.data import check_classes, check_lists, check_sources, check_taxonomy
from fieldguide.preflight.finding import Finding, problem
from fieldguide.preflight.networks import check_networks
from fieldguide.preflight.room import check_disk, check_memory
from fieldguide.preflight.setting import Setting
from fieldguide.preflight.weights import check_weights


def check_sections(setting: Setting) -> Iterator[Finding]:
    """Every section is there and holds what its model asks for."""
    yield from map(problem, setting.invalid)


def check_consistency(setting: Setting) -> Iterator[Finding]:
    """Sections agree with each other: every rule of consistency.py."""
    yield from (problem(text) for rule in (RULES | WHOLE_RULES).values() for text in rule(setting.params))


CHECKS: Mapping[str, Callable[[Setting], Iterator[Finding]]] = {
    "params": check_sections,
    "consistency": check_consistency,
    "sources": check_sources,
    "classes": check_classes,
    "taxonomy": check_taxonomy,
    "lists": check_lists,
    "weights": check_weights,
    "networks": check_networks,
    "disk": check_disk,
    "memory": check_memory,
}
"""By name, in the order in which they are printed. Each says only what it alone looks at, and raises nothing."""
