"""From a list of observations of living things to a species classifier that runs offline in a browser."""
