"""What a connection may cost a server of ours, whoever opens it: a body that nobody reads, silence, and company."""

import socket
from collections.abc import Callable
from typing import Any

import waitress
from waitress.channel import HTTPChannel

BODY = 16 * 2**10  # bytes: every page is asked for without one
SILENCE = 15  # seconds after which a connection that asks nothing is closed
CONNECTIONS = 400  # at a time: a browser has six

# of waitress; it looks after silent connections every few seconds
LIMITS: dict[str, Any] = {
    "max_request_body_size": BODY,
    "channel_timeout": SILENCE,
    "cleanup_interval": 3,
    "connection_limit": CONNECTIONS,
}


class PunctualChannel(HTTPChannel):  # type: ignore[misc]
    """A connection on which only whole requests count as activity: who sends a byte now and then is silent."""

    def handle_read(self) -> None:
        """Take in what has come."""
        before = float(getattr(self, "last_activity"))  # noqa: B009
        super().handle_read()
        if self.request is not None:  # a part of one
            self.last_activity = before


def limited_server(application: Callable[..., Any], listening: socket.socket) -> Any:
    """Return a server of an application on a socket, within these limits."""
    server = waitress.create_server(application, sockets=[listening], threads=4, ident=None, **LIMITS)
    server.channel_class = PunctualChannel
    return server
