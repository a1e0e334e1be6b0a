"""The bytes of photos: download, store, decode, fingerprints, geometry."""
