"""Portraits drawn by our own code: a data set that can be shipped, in the competition's own layout."""

from datasets.sources.sample_faces.writing import sample_faces_root

__all__ = ["sample_faces_root"]
