"""What is done around the pipeline: one module for each `python -m fieldguide` command."""
