"""Networks: backbones, losses, the training loop, distillation, embedding."""

import os

# Threads that wait for others in a parallel region sleep instead of spinning. On a machine with anything else to do,
# be it only the DataLoader's workers, spinning makes training 1.5 to 3 times slower (measured). libgomp reads this once,
# when torch is first imported, so it cannot wait for the modules that need it.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
