"""What embeddings tell about the labels: scores, suspect labels, outliers, and a map to look at."""
