"""WHAT A TRIAL LEAVES BEHIND: the folders of its folds, as they are written and read."""
