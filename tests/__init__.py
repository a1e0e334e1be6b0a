"""Tests; they mirror fieldguide/ and stages/, and pipeline/ guards dvc.yaml itself."""
