"""How a tree of photos says what they are: from paths alone to the `pattern` of a `folders` source."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fieldguide.catalogue.rows import SPLIT_NAMES
from fieldguide.catalogue.sources.folders import SPECIES_FOLDERS
from fieldguide.catalogue.splits import DRAWN, Split

SPLIT_WORDS = (*DRAWN, *SPLIT_NAMES)
"""Names of folders, and beginnings of file names, that say to which split a photo belongs."""
FILE_SPLIT = re.compile(rf"({'|'.join(SPLIT_WORDS)})[_-].*", re.IGNORECASE)
LABEL = "(?P<label>[^/]+)/"


@dataclass(frozen=True)
class Layout:
    """What the paths below a root say."""

    pattern: str | None
    """For the source; null is `Species name/file`."""
    text: str
    """The same for people: `train|val|test / species / file`."""
    has_split: bool


def find_layout(paths: Iterable[str]) -> Layout | None:
    """The layout of photos at `paths` below a root, `/` between folders; None if none of them lies in a folder.

    The label is the last folder that names no split. Folders that all paths share lead to the tree; others above the
    label say nothing. Photos beside the folders do not match.
    """
    inside = [tuple(path.split("/")) for path in paths if "/" in path]
    if not inside:
        return None
    lead = _shared_lead(sorted({parts[:-1] for parts in inside}))
    folders = {parts[len(lead) : -1] for parts in inside}
    depths = {len(folder) for folder in folders}
    first, last = ({folder[at] for folder in folders} for at in (0, -1))
    is_first, is_last = (min(depths) > 1 and _are_splits(names) for names in (first, last))
    num_skipped = min(depths) - 1 - (is_first or is_last) if len(depths) == 1 else None
    skipped = "(?:[^/]+/)*" if num_skipped is None else "[^/]+/" * num_skipped
    steps = [(re.escape(name) + "/", name) for name in lead]
    steps += [(f"{_given(first)}/", "|".join(_in_order(first)))] if is_first else []
    steps += [(skipped, "...")] if skipped else []
    steps += [(LABEL, "species")]
    steps += [(f"{_given(last)}/", "|".join(_in_order(last)))] if is_last and not is_first else []
    begins = {match[1] if (match := FILE_SPLIT.fullmatch(parts[-1])) else "" for parts in inside}
    in_name = not (is_first or is_last) and _are_splits(begins)
    steps += [(f"{_given(begins)}[_-][^/]*", f"{'|'.join(_in_order(begins))}_*")] if in_name else [("[^/]+", "file")]
    pattern = "".join(step for step, _ in steps)
    text = " / ".join(text for _, text in steps)
    return Layout(None if pattern == SPECIES_FOLDERS else pattern, text, is_first or is_last or in_name)


def _shared_lead(folders: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """The folders with which all of `folders`, sorted, begin, but for the last of the shallowest."""
    least, most = folders[0], folders[-1]
    longest = min(map(len, folders)) - 1
    same = next((at for at in range(longest) if least[at] != most[at]), longest)
    return least[:same]


def _are_splits(names: Iterable[str]) -> bool:
    words = {name.casefold() for name in names}
    return len(words) > 1 and words <= set(SPLIT_WORDS)


def _given(names: Iterable[str]) -> str:
    return f"(?P<given_split>{'|'.join(_in_order(names))})"


def _in_order(names: Iterable[str]) -> list[str]:
    """Train before val before test, whatever they are called."""
    return sorted(names, key=lambda name: (DRAWN.index(_split_of(name)), name))


def _split_of(name: str) -> Split:
    return Split(SPLIT_NAMES.get(name.casefold(), name.casefold()))
