"""How many trials vote: what an export takes by itself, so that the disk budget leaves as many their weights."""

EXPORT_SIZE = 3  # of a task, at most; `--size` says another number
