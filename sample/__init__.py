"""Draws the embedded sample: an invented flora with every trouble of real photographs. See README.md."""
