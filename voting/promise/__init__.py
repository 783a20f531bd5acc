"""THE PROMISE: what the packed ensemble scores on new persons, with an interval, corrected for having been chosen."""
