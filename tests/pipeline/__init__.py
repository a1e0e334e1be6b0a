"""Guards over dvc.yaml: what DVC is told must be what the code does."""
