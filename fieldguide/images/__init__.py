"""One image at a time: taking files apart, decoding, colour, geometry, quality, fingerprints."""
