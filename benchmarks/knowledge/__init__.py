"""WHAT IS KNOWN BEFORE A SEARCH: one list of configurations on many sets, the portfolio made of it, and what that is worth."""
