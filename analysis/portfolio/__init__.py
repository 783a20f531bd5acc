"""WHAT WAS BEST ELSEWHERE: an ordered list of configurations, from recorded tables or from finished studies."""
