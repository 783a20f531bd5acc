"""Who votes, what is promised, and the bundle."""
