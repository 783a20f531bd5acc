"""WHAT MAY VARY: a search space, its YAML grammar and its validation."""

from search_spaces.conditional_ranges import ConditionalRanges, Parameter
from search_spaces.errors import SpaceError
from search_spaces.loading import load_space
from search_spaces.parameters import Choice, Range
from search_spaces.space import SearchSettings, SearchSpace

__all__ = [
    "Choice",
    "ConditionalRanges",
    "Parameter",
    "Range",
    "SearchSettings",
    "SearchSpace",
    "SpaceError",
    "load_space",
]
