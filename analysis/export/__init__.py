"""WHAT AN EXPORT SAYS: its options, its promises, and every voter's scores side by side."""
