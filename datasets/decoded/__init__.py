"""EVERY IMAGE DECODED ONCE: one memory-mapped file that all trials of a node share."""
