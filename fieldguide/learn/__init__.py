"""Networks: backbones, losses, the training loop, distillation, embedding."""

import os

# Threads of a parallel region that wait for the others sleep instead of spinning. On a machine with anything else to do,
# the DataLoader's workers included, spinning costs 1.5 to 3 times the training speed (measured). libgomp reads this once,
# when torch is first imported, so it cannot wait for the modules that need it.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
