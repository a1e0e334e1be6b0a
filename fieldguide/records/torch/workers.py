"""Workers of torch's loader that end by the word of their parent alone.

A terminal or a scheduler sends a signal to all processes of a job, at once or one after the other. The first of them
decides what it means: a training finishes its step, for which it needs its workers.
"""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def starting_workers() -> Iterator[None]:
    """Inside, a loader may fork its workers: they are born deaf to `SIGNALS`, which reach this process afterwards.

    SIGCHLD is left as it is: torch would raise the death of a worker wherever the program is when it hears of it.
    Without that it looks after its workers every few seconds that it waits for them.
    """
    in_main_thread = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGCHLD)
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        if in_main_thread:
            signal.signal(signal.SIGCHLD, before)
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


def heed_parent_alone(worker: int) -> None:
    """In a worker that was started deaf: end when the parent sends SIGTERM, as torch does with one that will not."""
    threading.Thread(target=_await_word, args=(os.getppid(),), daemon=True).start()


def _await_word(parent: int) -> None:
    while signal.sigwaitinfo([signal.SIGTERM]).si_pid != parent:
        pass
    os._exit(0)
