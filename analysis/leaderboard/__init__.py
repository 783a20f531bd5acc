"""THE LEADERBOARD: trials by how far they came, then by score; as a table, a CSV file or JSON."""
