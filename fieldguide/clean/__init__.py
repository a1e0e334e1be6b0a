"""A verdict and a reason for every photo: screening, near-duplicates, replacements, the page."""
