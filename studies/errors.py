"""What is wrong with a study on disk; every message names the way out."""


class RecordError(ValueError):
    """A record that cannot be opened or trusted."""


class RecordTakenError(RecordError):
    """Another launch writes the record that this one holds open."""


class StudyError(ValueError):
    """A study that cannot be opened or continued."""
