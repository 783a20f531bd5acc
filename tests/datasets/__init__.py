"""Sources, splits and the cache of decoded images."""
