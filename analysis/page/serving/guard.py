"""What every request must be: from this machine's own browser, and asking to read."""

import re
from collections.abc import Callable, Iterable
from typing import Any

Environ = dict[str, Any]
Start = Callable[..., Any]
Application = Callable[[Environ, Start], Iterable[bytes]]

_HEADERS = [
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
]
_HOST = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?", re.ASCII)


def read_only(application: Application) -> Application:
    """Return the application behind a guard: GET and HEAD alone, and by a name of this machine.

    Another name in the Host header is a page of somebody else's that has its own name point here (DNS rebinding).
    """

    def guarded(environ: Environ, start: Start) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return _refused(start, "405 Method Not Allowed", "This page shows a search and changes nothing.")
        if not _HOST.fullmatch(str(environ.get("HTTP_HOST", ""))):
            return _refused(start, "403 Forbidden", "This page answers to 127.0.0.1 and localhost alone.")

        if environ.get("HTTP_SEC_FETCH_SITE") == "cross-site" and environ.get("HTTP_SEC_FETCH_MODE") != "navigate":
            return _refused(start, "403 Forbidden", "Other sites' pages get nothing from here.")

        def with_headers(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            return start(status, [*headers, *_HEADERS], *more)

        return application(environ, with_headers)

    return guarded


def _refused(start: Start, status: str, why: str) -> Iterable[bytes]:
    start(status, [("Content-Type", "text/plain; charset=utf-8"), *_HEADERS])
    return [why.encode()]
