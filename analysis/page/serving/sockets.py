"""A listening socket on this machine alone: on the port that was asked for, or the next one that is free."""

import argparse
import errno
import socket

PORT = 8300  # unless it is taken
_LAST = 65535
_TRIED = 100  # ports


class NoPort(ValueError):
    """No port is free."""


def listening_socket(port: int) -> socket.socket:
    """Return a socket that listens on 127.0.0.1, on `port` or the next free one; port 0 takes any.

    Raises:
        NoPort: none of the next hundred is free.
    """
    for candidate in range(port, min(port + _TRIED, _LAST + 1)) if port else (0,):
        opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            opened.bind(("127.0.0.1", candidate))
            opened.listen(64)
        except OSError as error:
            opened.close()
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
        else:
            return opened
    raise NoPort(f"--port {port}: neither it nor one of the next {_TRIED} is free; name another, or 0 for any")


def port_of(listening: socket.socket) -> int:
    """Return the port that a socket listens on."""
    port: int = listening.getsockname()[1]
    return port


def port_number(text: str) -> int:
    """Return a port as it was typed, for argparse; 0 is any."""
    port = int(text)
    if not 0 <= port <= _LAST:
        raise argparse.ArgumentTypeError(f"must be 0 to {_LAST} (got {text})")
    return port
