"""Holds what stages wrote, and shards from elsewhere, to what their bytes must be; deletes or rebuilds what is not."""
