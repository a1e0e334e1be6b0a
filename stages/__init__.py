"""One script per stage of dvc.yaml: a function from parameters and paths to metrics."""
