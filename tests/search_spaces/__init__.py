"""Spaces and portfolios."""
