"""How one configuration is trained, saved and gone on with."""
