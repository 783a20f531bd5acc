"""What is typed, and what is tried first."""
