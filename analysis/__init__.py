"""WHAT CAME OUT: the study reader, the leaderboard, what is shown while a search runs and when it ends."""
