"""One link that opens Ray's dashboard: it hands the browser Ray's token as a cookie, and works once.

The dashboard answers to a token alone, which it reads from a cookie, and a cookie does not know ports: one that is set by a
server of ours on 127.0.0.1 is sent to the dashboard there. Scripts cannot read it, other sites cannot use it (HttpOnly,
SameSite=Strict), and nobody gets it without the key in the link.
"""

import os
import secrets
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from shlex import quote
from typing import Any

import waitress

from schedulers.ray.private_names import token_cookie
from schedulers.ray.session_folder import session_folder
from storage.atomic import write_text

_HOST = "127.0.0.1"  # and no other name of this machine: cookies go by the name
_PLAIN = [
    ("Content-Type", "text/plain; charset=utf-8"),
    ("Cache-Control", "no-store"),
    ("Referrer-Policy", "no-referrer"),
]


class DashboardLink:
    """Answers the link; a key that was used is replaced by another, and `renewed` is called with the new link."""

    def __init__(self, dashboard: str, token: str, renewed: Callable[[str], object]) -> None:
        self._dashboard, self._token, self._renewed = dashboard, token, renewed
        self._key, self._lock = secrets.token_urlsafe(24), threading.Lock()
        self._server = waitress.create_server(self._answer, host=_HOST, port=0, threads=2, ident=None)
        threading.Thread(target=self._server.run, daemon=True).start()

    @property
    def address(self) -> str:
        """Return the link as it is now."""
        return f"http://127.0.0.1:{self._server.effective_port}/{self._key}"

    def close(self) -> None:
        """Answer no more."""
        self._server.close()

    def _answer(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] != "GET" or str(environ.get("HTTP_HOST", "")).partition(":")[0] != _HOST:
            start("403 Forbidden", _PLAIN)
            return [b"Open the link that the search printed, in a browser on this machine."]
        location = ("Location", f"http://{self._dashboard}/")
        used = self._used(str(environ.get("PATH_INFO", ""))[1:])
        if used:
            self._renewed(self.address)
        if self._has_token(str(environ.get("HTTP_COOKIE", ""))):  # the same link again, in the same browser
            start("302 Found", [location, *_PLAIN])
            return []
        if not used:
            start("403 Forbidden", _PLAIN)
            return [
                b"This link is no key, or was used before: each works once. The terminal of the search shows the next."
            ]
        cookie = f"{token_cookie()}={self._token}; Path=/; HttpOnly; SameSite=Strict"
        start("302 Found", [location, ("Set-Cookie", cookie), *_PLAIN])
        return []

    def _has_token(self, cookies: str) -> bool:
        pairs = dict(
            cookie.strip().partition("=")[::2] for cookie in cookies.split(";")
        )  # others' may be no cookies at all
        return secrets.compare_digest(pairs.get(token_cookie(), "").encode(), self._token.encode())

    def _used(self, key: str) -> bool:
        """Tell whether a key is the right one, and let it be right no more."""
        with self._lock:
            right = secrets.compare_digest(key.encode(), self._key.encode())
            self._key = secrets.token_urlsafe(24) if right else self._key
        return right


@contextmanager
def dashboard_link(
    dashboard: str | None, token: str | None, say: Callable[[str], object], *, terminal: bool
) -> Iterator[None]:
    """Say how Ray's dashboard is opened, and answer the link as long as the block runs.

    The link is a key. What goes to a log file instead of a terminal names a file of the user's own that holds it.
    """
    if dashboard is None:
        yield
    elif token is None or dashboard.partition(":")[0] != _HOST:  # open to all, or on another machine
        say(
            f"Ray dashboard: http://{dashboard}"
            + ("" if token is None else " (it asks for a token: ray get-auth-token)")
        )
        yield
    else:
        kept = session_folder() / f"dashboard_{os.getpid()}"
        link = DashboardLink(dashboard, token, partial(_say_next, say) if terminal else partial(_keep, kept))
        if not terminal:
            _keep(kept, link.address)
        shown = (
            link.address if terminal else f"its link is a key and stays out of logs; to see it: cat {quote(str(kept))}"
        )
        say(f"Ray dashboard: {shown}\n  {WHAT_TO_LOOK_AT}")
        try:
            yield
        finally:
            link.close()
            kept.unlink(missing_ok=True)


def _say_next(say: Callable[[str], object], link: str) -> None:
    say(f"Ray dashboard, in another browser: {link}")


def _keep(file: Path, link: str) -> None:
    """Write the link where its user alone reads it."""
    write_text(file, f"{link}\n")


WHAT_TO_LOOK_AT = "Cluster: every trial with its knobs, live, as a process title; Actors: the log of each process"
