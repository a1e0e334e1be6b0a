"""One image at a time: decoding, geometry, quality, fingerprints."""
