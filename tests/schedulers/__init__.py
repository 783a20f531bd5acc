"""Who goes on, what is proposed, and when it ends."""
