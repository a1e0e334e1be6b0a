"""Which photos train, validate and test: groups, the draw, held-out photos, class lists, the leak certificate."""
