"""A stage's run in MLflow and in DVC's lock file."""

import os

# Read by MLflow while it is imported, so they stand where every module of this room passes: no chatter, no usage
# reports, and a dead server costs seconds, not minutes.
os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
