"""Who learns from what: groups, the draw, held-out photos, class lists, the leak certificate."""
