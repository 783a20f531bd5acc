"""Errors of exporting and voting that a user can mend."""


class BundleError(ValueError):
    """A bundle that cannot be built, is not what its manifest says, or does not fit the images."""
