"""WHERE A STUDY STANDS: its trials, rungs, ranking and time, worked out from the record."""
