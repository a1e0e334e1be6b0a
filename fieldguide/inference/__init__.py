"""Using what was trained: a model folder answers for photos anywhere, without parameters, records or DVC."""
