"""Shards: tar and TFRecord codecs, their index, and readers."""
