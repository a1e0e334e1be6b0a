"""How good the answers are: metrics, calibration, confusion, the report."""
