"""Ports for processes that tests start: chosen now, listened on some seconds later."""

import secrets
import socket
from typing import Final

LOWEST: Final = 20_000
HIGHEST: Final = 32_767
"""Linux gives a port above this to outgoing connections and to whoever binds to port 0: none of ours meanwhile."""


def free_port() -> int:
    """A port of the loopback that nobody listens on, and that the kernel will not give away until we do."""
    while True:
        port = LOWEST + secrets.randbelow(HIGHEST - LOWEST + 1)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
