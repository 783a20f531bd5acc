"""FIGURES: what a study looks like, for its page and for reports: one figure a file, made of the study alone."""
