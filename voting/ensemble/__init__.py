"""THE ENSEMBLE: the whole choice of a task's voters, weights and decision, and of several tasks together."""
