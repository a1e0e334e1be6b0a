"""From a trained student to a browser bundle that is proved to answer alike."""
