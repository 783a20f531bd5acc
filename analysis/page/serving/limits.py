"""What a connection may cost a server of ours, whoever opens it: a body that nobody reads, silence, and company."""

from typing import Any

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
