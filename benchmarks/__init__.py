"""Ours against a peer, side by side in one run; each program prints a table for docs/peers.md."""
