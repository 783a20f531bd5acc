"""WHAT A LAUNCH DOES BEFORE THE SEARCH: options, initial configurations, the dry run."""
