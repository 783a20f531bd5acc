"""HOW WEIGHTS ARE FOUND: optimizer, schedule, steps, what rests, and which weights are kept."""
