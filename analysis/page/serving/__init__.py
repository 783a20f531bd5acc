"""How the page is served: to this machine alone, read-only, on the next free port."""
