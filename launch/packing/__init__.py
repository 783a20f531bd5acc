"""HOW MANY TRIALS SHARE A DEVICE: where an option says `auto`, the launch measures and chooses."""
