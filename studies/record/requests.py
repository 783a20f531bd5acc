"""Requests to a search from another terminal: small files in the study's folder that the driver takes up and records.

A file holds one request as JSON. A study that runs takes it up within an epoch, one that does not at its next launch; a stop
is for a study that runs.
"""

import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from storage.atomic import make_folder, write_text
from storage.outage import is_outage

logger = logging.getLogger(__name__)


class _Request(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class StopSearch(_Request):
    """End the search once every running epoch is done."""

    request: Literal["stop"] = "stop"


class StopTrial(_Request):
    """Take a trial out: its running epoch is its last."""

    request: Literal["stop_trial"] = "stop_trial"
    trial: int = Field(ge=0)


class AddConfigurations(_Request):
    """Try whole configurations before the sampler is asked again."""

    request: Literal["add"] = "add"
    configurations: tuple[dict[str, Any], ...]


class ChangeBudget(_Request):
    """Search under other budgets as long as this launch lasts; None takes one away."""

    request: Literal["budget"] = "budget"
    settings: dict[str, Any]


Request: TypeAlias = Annotated[
    StopSearch | StopTrial | AddConfigurations | ChangeBudget, Field(discriminator="request")
]
_parse: TypeAdapter[Request] = TypeAdapter(Request)


def spell_request(request: Request) -> str:
    """Return a request in words."""
    match request:
        case StopTrial():
            return f"stop trial {request.trial}"
        case AddConfigurations():
            many = len(request.configurations)
            return f"try {many} configuration{'' if many == 1 else 's'}"
        case ChangeBudget():
            changes = ", ".join(
                f"{name} {'none' if value is None else value}" for name, value in request.settings.items()
            )
            return f"search under {changes}"
    return "stop after the epochs that run"


def write_request(folder: Path, request: Request) -> Path:
    """Put a request into a study's folder of requests and return its file; earlier ones come first."""
    make_folder(folder)
    file = folder / f"{time.time_ns():020d}.json"
    write_text(file, request.model_dump_json(indent=1))
    return file


def waiting_requests(folder: Path) -> Iterator[tuple[Path, Request]]:
    """Yield the requests that nobody has taken up, the earliest first; one that cannot be read is set aside, and told."""
    for file in sorted(folder.glob("*.json")):
        try:
            yield file, _parse.validate_json(file.read_bytes())
        except (ValidationError, OSError) as error:
            if is_outage(error):  # says nothing of the request
                raise
            logger.warning("%s: is no request and is set aside (%s)", file, str(error).splitlines()[0])
            file.rename(file.with_suffix(".unread"))
