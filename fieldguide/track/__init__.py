"""A stage's run in MLflow and in DVC's lock file."""
