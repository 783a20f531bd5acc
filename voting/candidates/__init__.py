"""WHO COULD VOTE: the finished trials of studies, and what the others said where they rested."""
