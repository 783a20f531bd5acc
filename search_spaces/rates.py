"""Scores for time as people write them: 0.002/h, 0.05/d."""

from typing import Annotated

from pydantic import BeforeValidator, Field

_HOURS = {"h": 1, "d": 24}


def parse_rate(text: object) -> float:
    """Return the score an hour that `text` stands for; a bare number is of an hour.

    Raises:
        ValueError: it is no rate.
    """
    amount, separator, unit = str(text).strip().replace(" ", "").partition("/")
    try:
        return float(amount) / (_HOURS[unit] if separator else 1)
    except (ValueError, KeyError):
        raise ValueError("is no score for time; write it like 0.002/h or 0.05/d") from None


Rate = Annotated[float, BeforeValidator(parse_rate), Field(gt=0, allow_inf_nan=False)]
