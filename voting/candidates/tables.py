"""A study's tables of images."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from studies.errors import StudyError


def read_rows(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Return the rows of a study's table of images, sorted by id.

    Raises:
        StudyError: it is missing or damaged; names it.
    """
    try:
        rows = pd.read_csv(path, dtype={"id": str, "person": str}, keep_default_na=False)
        return rows[list(columns)].sort_values("id")
    except (OSError, ValueError, KeyError) as error:
        raise StudyError(f"{path}: cannot be read ({error}); the next launch of the study writes it anew") from None
