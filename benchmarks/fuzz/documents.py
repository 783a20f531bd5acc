"""Documents from a fuzzer's bytes: a good one in which some values are replaced, taken out or doubled.

Bytes that are changed blindly are mostly no JSON, and no reader looks further.
"""

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import atheris

Container = dict[Any, Any] | list[Any]
ODD: tuple[Any, ...] = (
    *(
        None,
        True,
        "",
        "x" * 5000,
        "\0",
        "\x1b[2J",
        "../../etc/passwd",
        "/dev/zero",
        "²",
        "nan",
        "1e999",
        [],
        {},
        [[]],
        {"a": {}},
    ),
    *(
        0,
        -1,
        1,
        2**31,
        2**63,
        -(2**63),
        10**400,
        0.5,
        -0.0,
        1e-320,
        1e308,
        float("nan"),
        float("inf"),
        [None],
        ["a", "a"],
    ),
)


def edited(seed: Any, data: bytes) -> Any:
    """Return a document like the seed, changed in some places as the bytes say."""
    provider = atheris.FuzzedDataProvider(data)
    document = json.loads(json.dumps(seed))
    for _ in range(provider.ConsumeIntInRange(1, 4)):
        places = list(_places(document))
        if not places:
            break
        container, key = places[provider.ConsumeIntInRange(0, len(places) - 1)]
        _change(container, key, provider)
    return document


def _change(container: Container, key: Any, provider: Any) -> None:
    how = provider.ConsumeIntInRange(0, 5)
    if how == 0:
        del container[key]
    elif how == 1 and isinstance(container, list):
        container.append(deepcopy(container[key]))
    elif how == 2:
        container[key] = provider.ConsumeUnicodeNoSurrogates(30)
    elif how == 3:
        container[key] = provider.ConsumeInt(8)
    else:
        container[key] = deepcopy(ODD[provider.ConsumeIntInRange(0, len(ODD) - 1)])


def _places(document: Any) -> Iterator[tuple[Container, Any]]:
    """Yield every value of a document by what holds it and where."""
    if isinstance(document, dict):
        inside: Any = list(document.items())
    elif isinstance(document, list):
        inside = list(enumerate(document))
    else:
        return
    for key, value in inside:
        yield document, key
        yield from _places(value)
