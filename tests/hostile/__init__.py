"""HOSTILE FILES: over a hundred that nobody should be hurt by, each read under limits of time and memory."""
