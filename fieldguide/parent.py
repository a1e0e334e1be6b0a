"""Ends a process soon after the one that started it: what DVC, a stage or a user killed leaves nothing running.

Imported first of all (stages/__init__.py), for a parent may die while its child still imports.
"""

import logging
import os
import signal
import threading
import time

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
PARENT = os.getppid()


def end_with_parent(parent: int = PARENT) -> None:
    """End this process, politely, soon after the one that started it, or the one with the id `parent`.

    DVC that is killed leaves its stage running, and a stage its workers; an orphan would overwrite what a later run
    makes.
    """

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(LOOK_EVERY_S)
        log.warning("the process that started this one has ended")
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()
