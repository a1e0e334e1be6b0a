"""Records for PyTorch: random parts of photos, batches of uint8 pixels, loading by several processes.

The only part of this room that imports torch; nothing else of the room may import it, so TensorFlow can live beside.
"""
