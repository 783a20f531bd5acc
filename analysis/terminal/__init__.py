"""ON THE TERMINAL: what a search prints while it runs and when it ends."""
