"""WHAT HAPPENED: the events of a study, and the append-only record that keeps them."""
