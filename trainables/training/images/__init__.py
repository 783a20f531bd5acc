"""WHAT A MODEL IS SHOWN: the images of a fold, in which order, mixed and in batches."""
