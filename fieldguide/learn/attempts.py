"""The attempts at one run, each in a folder of its own: which of them is taken up, and what is said about the others.

A run is what is to be learnt; an attempt is work on it. Attempts in different settings (fingerprint.py) lie side by
side, so that one that is not taken up is neither mixed with another nor overwritten.
"""

import json
import logging
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fieldguide.files import write_json
from fieldguide.learn.fingerprint import Setting, name_differences
from fieldguide.learn.training_params import Resume

log = logging.getLogger(__name__)

PREFIX = "attempt-"
SETTINGS_FILE = "settings.json"
POSITION_FILE = "position.json"
"""Beside a checkpoint: {"epoch": ..., "step": ...}, both from 0."""
KEEP_DAYS = 14
"""What nobody took up for so long is removed."""


@dataclass(frozen=True)
class Attempt:
    """Unfinished work on a run."""

    path: Path
    settings: Sequence[Setting]
    """Those in which it was worked on, one after the other."""
    position: tuple[int, int] = (0, 0)
    """Epoch and step of its checkpoint."""

    def differences(self, setting: Setting) -> list[str]:
        """What of any of its settings differs from this one, for people; empty where a result would be exact."""
        return list(dict.fromkeys(name for each in self.settings for name in name_differences(each, setting)))


def take_up_attempt(run: Path, setting: Setting, resume: Resume) -> Path:
    """The folder to work in: that of an earlier attempt in `run` which `resume` allows, else a new one.

    Logs one warning where the chosen one had another setting, and one for each that is left alone.
    """
    attempts = _list_attempts(run)
    chosen = choose_attempt(attempts, setting, resume)
    for attempt in attempts:
        if attempt is not chosen:
            log.warning("%s", _describe_left(attempt, chosen, setting, resume))
    if chosen is None:
        number = max((int(attempt.path.name.removeprefix(PREFIX)) for attempt in attempts), default=0) + 1
        chosen = Attempt(run / f"{PREFIX}{number}", [])
        chosen.path.mkdir()
    elif differences := chosen.differences(setting):
        log.warning(
            "going on from %s, made with other %s: the result will be as good, but not bit for bit that of one run",
            chosen.path, ", ".join(differences),
        )  # fmt: skip
    if not chosen.settings or chosen.settings[-1] != setting:
        write_json(chosen.path / SETTINGS_FILE, [*chosen.settings, setting])
    return chosen.path


def choose_attempt(attempts: Sequence[Attempt], setting: Setting, resume: Resume) -> Attempt | None:
    """The one that got furthest, of all (`compatible`) or of those in this very setting (`exact`).

    Of several that got as far, one in this setting, and then the first.
    """
    exact = [attempt for attempt in attempts if not attempt.differences(setting)]
    allowed = {"exact": exact, "compatible": [*exact, *attempts], "never": []}[resume]
    return max(allowed, key=lambda attempt: attempt.position, default=None)


def _list_attempts(run: Path) -> list[Attempt]:
    """Those that hold any work, the last one that was worked on first. Others are removed."""
    attempts = []
    for path in sorted(run.glob(f"{PREFIX}*"), key=lambda path: path.stat().st_mtime_ns, reverse=True):
        if any(file.name != SETTINGS_FILE for file in path.iterdir()):
            settings: list[Setting] = _read(path / SETTINGS_FILE, [{}])  # unknown: exact in no setting
            position = _read(path / POSITION_FILE, {"epoch": 0, "step": 0})
            attempts.append(Attempt(path, settings, (position["epoch"], position["step"])))
        else:
            shutil.rmtree(path)
    return attempts


def _read(path: Path, default: Any) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return default


def _describe_left(attempt: Attempt, chosen: Attempt | None, setting: Setting, resume: Resume) -> str:
    differences = attempt.differences(setting)
    if resume == "never":
        why, how = "resume is never", f"`resume: {'compatible' if differences else 'exact'}` goes on from it"
    elif resume == "exact" and differences:
        why, how = f"it was made with other {', '.join(differences)}", "`resume: compatible` goes on from it"
    else:
        assert chosen
        why, how = f"{chosen.path.name} got further", "without that one this run would go on from it"
    epoch, step = attempt.position
    return (
        f"{attempt.path} (epoch {epoch + 1}, {step} batches) is left alone: {why}; {how}. It is removed "
        f"{KEEP_DAYS} days after its last use"
    )
