"""How well a model knows, and how well it knows that it knows: metrics, calibration, report."""
