"""Errors in the data that a user can mend."""


class DataError(ValueError):
    """The data is not what its options promise; the message names the file, the row and the way out."""
