"""HOW FILES ARE WRITTEN: whole or not at all, also when the power fails."""
