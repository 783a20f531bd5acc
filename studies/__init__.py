"""WHAT A STUDY LEAVES BEHIND, and how it is judged: shared by driver, trials, export and analysis."""
