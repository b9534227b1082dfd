"""PagerDuty, Slack and a heartbeat service as stubs over HTTPS on loopback, with certificates of their own.

Each answers as its service's public documents say; what to answer next can be ordered.
"""

import contextlib
import json
import threading
import time
from collections.abc import Iterator, Mapping
from importlib import resources
from socket import socket
from typing import Any, TypeVar

import jsonschema

from esg_assets_tests.raw_server import RawServer, answer, raw_server
from esg_assets_tests.tls_servers import server_context

SCHEMA = json.loads(resources.files(__package__).joinpath("events_v2.schema.json").read_text("utf-8"))
ROUTING_KEY = "R0" + "k" * 30
FOREIGN = "SECRET-FOREIGN-TEXT"
"""In every answer that is no success: none of it may be seen anywhere."""


AnyStub = TypeVar("AnyStub", bound="Stub")


class Stub:
    """A service on loopback.

    Attributes:
        orders: raw answers to the next requests, instead of the service's own.
        paths: of every request, in order.
        bodies: of every request.
    """

    def __init__(self) -> None:
        self.orders: list[bytes] = []
        self.server: RawServer
        self._lock = threading.Lock()
        self.paths: list[str] = []
        self.bodies: list[bytes] = []

    def talk(self, connection: socket, request: bytes) -> None:
        head, _, body = request.partition(b"\r\n\r\n")
        with self._lock:
            path = head.split(b" ")[1].decode()
            self.paths.append(path)
            self.bodies.append(body)
            connection.sendall(self.orders.pop(0) if self.orders else self.answer(path, body))

    def answer(self, path: str, body: bytes) -> bytes:
        """What the service says by itself."""
        raise NotImplementedError

    def reset(self) -> None:
        for kept in (self.orders, self.paths, self.bodies):
            kept.clear()


class PagerDuty(Stub):
    """Takes events that its public schema allows.

    Attributes:
        events: that it took.
        triggers: how often each dedup key was triggered.
        first: when it was triggered first, by the monotonic clock.
        open: dedup keys of alerts that are not resolved.
    """

    def __init__(self) -> None:
        super().__init__()
        self.events: list[Mapping[str, Any]] = []
        self.triggers: dict[str, int] = {}
        self.first: dict[str, float] = {}
        self.open: set[str] = set()

    @property
    def url(self) -> str:
        return f"{self.server.url}/v2/enqueue"

    def answer(self, path: str, body: bytes) -> bytes:
        event = json.loads(body)
        wrong = VALIDATOR.iter_errors(event)
        problems = [f"'{'.'.join(map(str, error.path)) or 'event'}' is invalid" for error in wrong]
        if problems or path != "/v2/enqueue":
            said = {"status": "invalid event", "message": "Event object is invalid", "errors": problems}
            return answer(400, json.dumps(said).encode())
        self.events.append(event)
        key = event["dedup_key"]
        if event["event_action"] == "trigger":
            self.triggers[key] = self.triggers.get(key, 0) + 1
            self.first.setdefault(key, time.monotonic())
            self.open.add(key)
        else:
            self.open.discard(key)
        said = {"status": "success", "message": "Event processed", "dedup_key": key}
        return answer(202, json.dumps(said).encode())

    def reset(self) -> None:
        super().reset()
        self.events.clear()
        self.triggers.clear()
        self.first.clear()
        self.open.clear()


class Slack(Stub):
    """An incoming webhook."""

    PATH = "/services/T000/B000/WEBHOOKTOKENOFTHETESTS"

    @property
    def url(self) -> str:
        return self.server.url + self.PATH

    @property
    def messages(self) -> list[Any]:
        return [json.loads(body) for body in self.bodies]

    def answer(self, path: str, body: bytes) -> bytes:
        if path != self.PATH:
            return answer(404, b"no_service " + FOREIGN.encode())
        return answer(200, b"ok", content_type="text/html")


class Heartbeat(Stub):
    """A check at a service such as healthchecks.io."""

    PATH = "/ping/11111111-2222-3333-4444-555555555555"

    @property
    def url(self) -> str:
        return self.server.url + self.PATH

    def answer(self, path: str, body: bytes) -> bytes:
        known = {self.PATH, f"{self.PATH}/fail", f"{self.PATH}/log"}
        return answer(200, b"OK") if path in known else answer(404, b"not found " + FOREIGN.encode())


class JsonService(Stub):
    """Takes Apprise's `jsons://`."""

    @property
    def url(self) -> str:
        return f"jsons://user:PASSWORDOFTHETESTS@127.0.0.1:{self.server.port}/TOKENOFTHETESTS"

    def answer(self, path: str, body: bytes) -> bytes:
        return answer(200, b"{}")


@contextlib.contextmanager
def served(stub: AnyStub) -> Iterator[AnyStub]:
    """The stub runs for the length of the block."""
    with raw_server(stub.talk, server_context()) as server:
        stub.server = server
        yield stub


VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
