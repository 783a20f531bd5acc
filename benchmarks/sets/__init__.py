"""SMALL SETS: pictures from packages and from our own code, on which configurations are judged in minutes."""
