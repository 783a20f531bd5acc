"""WHO VOTES: member selection, vote rules, the bundle, its runtime."""
