"""COMMAND LINE: how every command reads what was typed, and completes it."""
