"""HEADS: what the outputs of a model mean: how they are trained, and how they become probabilities of the true classes."""
