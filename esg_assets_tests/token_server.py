"""An OAuth 2.0 token endpoint on loopback: numbered tokens, or the answers of a script."""

import contextlib
import json
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from socket import socket

from esg_assets_tests.raw_server import RawServer, Talk, answer, raw_server


class TokenServer:
    """What the endpoint does.

    Attributes:
        url: of the endpoint.
        given: how many tokens it has given; the last one is `token-<given>`.
        expires_in: life of the tokens that it gives, in seconds.
        script: what the next requests are answered with instead; True for a token.
        before_answering: called for each request.
    """

    def __init__(self) -> None:
        self.url = ""
        self.server: RawServer
        self.given = 0
        self.expires_in: object = 60
        self.script: list[bytes | Talk] = []
        self.before_answering: Callable[[], object] = lambda: None
        self._lock = threading.Lock()

    @property
    def requests(self) -> list[bytes]:
        return self.server.requests

    def talk(self, connection: socket, request: bytes) -> None:
        self.before_answering()
        with self._lock:
            scripted = self.script.pop(0) if self.script else None
            if scripted is None:
                self.given += 1
                scripted = token_answer(f"token-{self.given}", expires_in=self.expires_in)
        if isinstance(scripted, bytes):
            connection.sendall(scripted)
        else:
            scripted(connection, request)


def token_answer(access_token: object, *, status: int = 200, **fields: object) -> bytes:
    """An answer with a token; a field that is None is left out."""
    given = {"access_token": access_token, "token_type": "Bearer", "expires_in": 60} | fields
    body = json.dumps({name: value for name, value in given.items() if value is not None}).encode()
    return answer(status, body)


def error_answer(status: int, error: str = "", description: str = "") -> bytes:
    body = {"error": error, "error_description": description}
    return answer(status, json.dumps(body).encode())


@contextlib.contextmanager
def token_server(
    script: Sequence[bytes | Talk] = (), tls: ssl.SSLContext | None = None
) -> Iterator[TokenServer]:
    """A TokenServer that runs for the length of the block."""
    tokens = TokenServer()
    tokens.script.extend(script)
    with raw_server(tokens.talk, tls) as server:
        tokens.server = server
        tokens.url = f"{server.url}/oauth2/token"
        yield tokens
