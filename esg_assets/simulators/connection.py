"""The TCP connection under a request, which ASGI hides: needed to reset it.

`SimulatorProtocol` is uvicorn's own HTTP protocol that leaves the transport in the scope.
"""

import os
import socket
import struct
from typing import TYPE_CHECKING

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from esg_assets.simulators.exchange import Scope

if TYPE_CHECKING:
    from asyncio import Transport

_TRANSPORT = "esg_assets.simulators.transport"


class SimulatorProtocol(HttpToolsProtocol):
    """HTTP/1.1 by httptools, with the transport in each request's scope."""

    def on_message_begin(self) -> None:
        """A request starts: uvicorn has just made its scope."""
        super().on_message_begin()
        self.scope[_TRANSPORT] = self.transport  # type: ignore[literal-required]  # a key of our own


def abort_connection(scope: Scope) -> None:
    """End the connection now, without sending what is buffered."""
    transport: Transport = scope[_TRANSPORT]
    transport.abort()


def reset_connection(scope: Scope) -> None:
    """End the connection with a TCP RST: closing a socket that does not linger sends one."""
    transport: Transport = scope[_TRANSPORT]
    # uvloop hands out only a stand-in of its socket; a duplicate shares the options.
    descriptor = os.dup(transport.get_extra_info("socket").fileno())
    with socket.socket(fileno=descriptor) as duplicate:
        duplicate.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
