"""A receiver of OTLP logs over HTTP, as a collector is one: it decodes what arrives, and refuses by order."""

import contextlib
import ssl
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

Fields = dict[str, Any]


@dataclass
class Collector:
    """What arrived.

    Attributes:
        url: for OTEL_EXPORTER_OTLP_ENDPOINT.
        lines: every record as fields, in the order of arrival; `event` is the body.
        resource: attributes of the resource, of the last request.
        headers: of the last request.
        payloads: bodies of requests, as they came.
        refuse: statuses for the next requests, in order, each with further header fields; then 200.
        rejects: records of the next request that are said to be refused.
    """

    url: str = ""
    lines: list[Fields] = field(default_factory=list)
    resource: Fields = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    payloads: list[bytes] = field(default_factory=list)
    refuse: list[tuple[int, Mapping[str, str]]] = field(default_factory=list)
    rejects: int = 0
    arrived: threading.Condition = field(default_factory=threading.Condition)

    def events(self) -> list[str]:
        return [line["event"] for line in self.lines]

    def wait_for(self, count: int, seconds: float = 20.0) -> bool:
        """Whether so many lines have arrived, after at most so long."""
        with self.arrived:
            return self.arrived.wait_for(lambda: len(self.lines) >= count, timeout=seconds)

    def take(self, body: bytes, headers: Mapping[str, str]) -> tuple[int, Mapping[str, str], bytes]:
        """Answer one request."""
        with self.arrived:
            self.headers = headers
            self.payloads.append(body)
            if self.refuse:
                return *self.refuse.pop(0), b""
            request = ExportLogsServiceRequest.FromString(body)
            for resource in request.resource_logs:
                self.resource = {each.key: _plain(each.value) for each in resource.resource.attributes}
                for scope in resource.scope_logs:
                    self.lines += [_fields(record) for record in scope.log_records]
            answer = ExportLogsServiceResponse()
            answer.partial_success.rejected_log_records, self.rejects = self.rejects, 0
            self.arrived.notify_all()
            return 200, {}, answer.SerializeToString()


@contextlib.contextmanager
def collector(context: ssl.SSLContext | None = None, port: int = 0) -> Iterator[Collector]:
    """A collector on loopback; over TLS if there is a context."""
    known = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.path == "/v1/logs"
            status, headers, answer = known.take(body, dict(self.headers))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """A client that breaks off is what some tests are about."""

    server = Server(("127.0.0.1", port), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    known.url = f"http{'s' if context else ''}://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield known
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _fields(record: Any) -> Fields:
    attributes = {each.key: _plain(each.value) for each in record.attributes}
    return {
        **attributes,
        "event": record.body.string_value,
        "level": record.severity_text.lower(),
        "severity": int(record.severity_number),
        "nanoseconds": record.time_unix_nano,
    }


def _plain(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    return getattr(value, kind) if kind else None
