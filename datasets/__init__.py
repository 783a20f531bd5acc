"""WHAT IS LEARNED FROM: sources, splits, decoded-image cache, transforms."""
