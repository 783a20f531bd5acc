"""WHAT A SEARCH SPENDS: its budget, what that affords, what a further trial is worth, when it will end."""
