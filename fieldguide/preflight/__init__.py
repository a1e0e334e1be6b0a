"""Whether everything that a later stage will need is there, for `python -m fieldguide check`; no stage imports this."""
