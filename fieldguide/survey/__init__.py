"""What photographs there are and what parameters fit them, for `python -m fieldguide init`; no stage imports this."""
