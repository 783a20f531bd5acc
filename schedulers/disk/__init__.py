"""WHAT STAYS ON DISK: which parts of a study's folder go first, and when."""
