"""HOW ONE CONFIGURATION IS JUDGED: one model trained on one fold at a time, and the folder that keeps what came of it."""
