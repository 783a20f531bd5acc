"""One link that opens Ray's dashboard: it hands the browser Ray's token as a cookie, and works once.

The dashboard answers to a token alone, which it reads from a cookie, and a cookie does not know ports: one that is set by a
server of ours on 127.0.0.1 is sent to the dashboard there. Scripts cannot read it, other sites cannot use it (HttpOnly,
SameSite=Strict), and nobody gets it without the key in the link.
"""

import secrets
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import waitress

from schedulers.ray.private_names import token_cookie

_HOST = "127.0.0.1"  # and no other name of this machine: cookies go by the name
_PLAIN = [
    ("Content-Type", "text/plain; charset=utf-8"),
    ("Cache-Control", "no-store"),
    ("Referrer-Policy", "no-referrer"),
]


class DashboardLink:
    """Answers the link; a key that was used is replaced by another, which `say` is told."""

    def __init__(self, dashboard: str, token: str, say: Callable[[str], object]) -> None:
        self._dashboard, self._token, self._say = dashboard, token, say
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
            self._say(f"Ray dashboard, in another browser: {self.address}")
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
def dashboard_link(dashboard: str | None, token: str | None, say: Callable[[str], object]) -> Iterator[None]:
    """Say how Ray's dashboard is opened, and answer the link as long as the block runs."""
    if dashboard is None:
        yield
    elif token is None or dashboard.partition(":")[0] != _HOST:  # open to all, or on another machine
        say(
            f"Ray dashboard: http://{dashboard}"
            + ("" if token is None else " (it asks for a token: ray get-auth-token)")
        )
        yield
    else:
        link = DashboardLink(dashboard, token, say)
        say(f"Ray dashboard: {link.address}\n  {WHAT_TO_LOOK_AT}")
        try:
            yield
        finally:
            link.close()


WHAT_TO_LOOK_AT = "Cluster: every trial with its knobs, live, as a process title; Actors: the log of each process"
