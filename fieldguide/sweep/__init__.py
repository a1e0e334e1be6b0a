"""Searches for better parameters: Optuna proposes them, and every trial is a DVC experiment."""
