"""TensorFlow, imported without its start-up chatter and kept off the GPU.

Records are bytes, so no device is needed, and a worker that grabbed one would take it from training. Import this module
inside the function that needs it: TensorFlow takes seconds to load and may not share a process with torch.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

# What TensorFlow's C++ side says before its log level is in force goes straight to descriptor 2.
_stderr = os.dup(2)
_nowhere = os.open(os.devnull, os.O_WRONLY)
os.dup2(_nowhere, 2)
try:
    import tensorflow as tf
finally:
    os.dup2(_stderr, 2)
    os.close(_stderr)
    os.close(_nowhere)

__all__ = ["tf"]
