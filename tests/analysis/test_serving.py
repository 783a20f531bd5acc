"""The servers of the page: small bodies, no company that blocks them, and names of this machine alone."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from analysis.page.serving.guard import Environ, Start, read_only
from analysis.page.serving.limits import BODY, CONNECTIONS, PunctualChannel, limited_server
from analysis.page.serving.sockets import listening_socket, port_of


def page(environ: Environ, start: Start) -> list[bytes]:
    start("200 OK", [("Content-Type", "text/plain")])
    return [b"the page"]


@pytest.fixture
def port() -> Iterator[int]:
    listening = listening_socket(0)
    server = limited_server(read_only(page), listening)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield port_of(listening)
    server.close()


def answered(port: int, request: str, patience: float = 10) -> str:
    """Return what a server answers to the head of a request, of which no body follows."""
    with socket.create_connection(("127.0.0.1", port), timeout=patience) as connection:
        connection.sendall(request.replace("\n", "\r\n").encode() + b"\r\n\r\n")
        answer = b""
        while part := connection.recv(4096):
            answer += part
            if b"the page" in answer or (b"\r\n\r\n" in answer and not answer.startswith(b"HTTP/1.1 200")):
                break
        return answer.decode()


def test_a_large_body_is_refused_before_it_is_read(port: int) -> None:
    """Four hundred megabytes of it were written to the disk before they were refused."""
    head = f"POST / HTTP/1.1\nHost: localhost:{port}\nContent-Length: {BODY + 1}"
    assert answered(port, head).startswith("HTTP/1.1 413")


def test_idle_connections_do_not_block_the_page(port: int) -> None:
    with ExitStack() as stack:
        for _ in range(CONNECTIONS // 2):
            stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        assert "the page" in answered(port, f"GET / HTTP/1.1\nHost: 127.0.0.1:{port}")


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("127.0.0.1", True),
        ("localhost:9000", True),  # a port that was forwarded
        ("[::1]:8300", True),
        ("localhost:8300.evil.example", False),
        ("127.0.0.1.evil.example:8300", False),
        ("localhost:", False),
        ("evil.example", False),
    ],
)
def test_the_host_is_compared_as_a_whole(host: str, allowed: bool, port: int) -> None:
    answer = answered(port, f"GET / HTTP/1.1\nHost: {host}")
    assert answer.startswith("HTTP/1.1 200" if allowed else "HTTP/1.1 403")


def test_a_connection_that_sends_a_byte_now_and_then_is_silent(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each byte kept it open, and a few hundred such connections kept everybody else out."""
    channels = list[PunctualChannel]()
    begin = PunctualChannel.handle_read
    monkeypatch.setattr(PunctualChannel, "handle_read", lambda self: (channels.append(self), begin(self)))
    with socket.create_connection(("127.0.0.1", port)) as slow:
        for byte in b"GET / HT":
            slow.sendall(bytes([byte]))
            time.sleep(0.05)
        assert channels
        assert channels[0].last_activity == channels[0].creation_time
    assert "the page" in answered(port, f"GET / HTTP/1.1\nHost: 127.0.0.1:{port}")
