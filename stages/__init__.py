"""One script per stage of dvc.yaml: a function from parameters and paths to metrics."""

import os
import signal
import sys

from fieldguide import parent as parent  # notes who started the process, before anything slow is imported

# Threads that wait for others in a parallel region sleep instead of spinning: with anything else on the machine, be
# it the workers that decode photos, spinning makes training 1.5 to 3 times slower (measured). libgomp reads this once,
# when torch is first imported, so it must be set before any stage's own imports.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# Ctrl-C before there is anything to unwind ends a stage without a traceback; run_stage takes over when it begins.
if sys.argv[0] == "-m":
    signal.signal(signal.SIGINT, signal.SIG_DFL)
