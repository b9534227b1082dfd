"""An AWS KMS to test with: ministack in a process of its own, behind a front that counts and refuses.

Everything is spoken to over HTTP, by the same client as the real one. The front stands for what the
emulator has not: key policies (a denied call) and limits (a throttled one).
"""

import contextlib
import functools
import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from esg_assets_tests.servers import free_ports, started

REGION = "us-east-2"
_ACCESS = "AKIAIOSFODNN7EXAMPLE"


@dataclass
class KmsServer:
    """A KMS and what is known of the calls to it.

    Attributes:
        endpoint: http://127.0.0.1:PORT.
        calls: number of calls by operation, such as Decrypt.
        contexts: the encryption context of each call that had one.
        refused: error codes by operation; "" stands for every operation.
    """

    endpoint: str
    calls: Counter[str] = field(default_factory=Counter)
    contexts: list[Mapping[str, str]] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables by which clients find and enter it."""
        return {
            "AWS_ENDPOINT_URL_KMS": self.endpoint,
            "AWS_ACCESS_KEY_ID": _ACCESS,
            "AWS_SECRET_ACCESS_KEY": "secret-of-the-tests",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_MAX_ATTEMPTS": "1",  # what is refused on purpose is not tried again
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def create_key(self, spec: str = "SYMMETRIC_DEFAULT") -> str:
        """A new key's ARN."""
        usage = "ENCRYPT_DECRYPT" if spec == "SYMMETRIC_DEFAULT" else "SIGN_VERIFY"
        made = self.admin("create_key", KeySpec=spec, KeyUsage=usage)
        return str(made["KeyMetadata"]["Arn"])

    def admin(self, operation: str, **parameters: object) -> dict[str, Any]:
        """A call of the key's administrator, which does not count."""
        answer: dict[str, Any] = getattr(self._administrator, operation)(**parameters)
        self.calls.clear()
        self.contexts.clear()
        return answer

    @functools.cached_property
    def _administrator(self) -> Any:
        import boto3  # noqa: PLC0415 - slow to import

        session = boto3.session.Session(
            aws_access_key_id=_ACCESS, aws_secret_access_key="secret-of-the-tests", region_name=REGION
        )
        return session.client("kms", endpoint_url=self.endpoint)

    @contextlib.contextmanager
    def refusing(self, code: str, *operations: str) -> Iterator[None]:
        """Answer these operations (all, if none is given) with an error."""
        self.refused = dict.fromkeys(operations or ("",), code)
        try:
            yield
        finally:
            self.refused = {}

    def code_for(self, operation: str, body: bytes) -> str:
        """Count a call; the code to refuse it with, or ""."""
        self.calls[operation] += 1
        with contextlib.suppress(ValueError):
            self.contexts += filter(None, [json.loads(body).get("EncryptionContext")])
        return self.refused.get(operation, self.refused.get("", ""))


def kms() -> Iterator[KmsServer]:
    """A KMS whose keys vanish with it."""
    for endpoint in ministack("kms"):
        with _front(int(endpoint.rpartition(":")[2])) as server:
            yield server


def ministack(service: str) -> Iterator[str]:
    """The endpoint of one emulated service of AWS, in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="esg-kms-") as name:
        folder = Path(name)

        def start(log: Path) -> tuple[subprocess.Popen[bytes], Callable[[], bool], int]:
            (port,) = free_ports(1)
            environment = os.environ | {
                "GATEWAY_PORT": str(port),
                "BIND_HOST": "127.0.0.1",
                "SERVICES": service,
                "MINISTACK_REGION": REGION,
            }
            with log.open("wb") as output:
                process = subprocess.Popen(
                    [sys.executable, "-m", "ministack"],
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    cwd=folder,
                    env=environment,
                )
            return process, lambda: _answers(port), port

        with started(start, folder, stop_with=signal.SIGKILL) as port:
            yield f"http://127.0.0.1:{port}"


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/_ministack/health")
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()


@contextlib.contextmanager
def _front(port: int) -> Iterator[KmsServer]:
    front = ThreadingHTTPServer(("127.0.0.1", 0), _Front)
    front.daemon_threads = True
    server = KmsServer(f"http://127.0.0.1:{front.server_address[1]}")
    front.kms, front.port = server, port  # type: ignore[attr-defined]  # for the handler
    thread = threading.Thread(target=front.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        front.shutdown()
        thread.join()
        front.server_close()


class _Front(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server: KmsServer = self.server.kms  # type: ignore[attr-defined]  # set in _front
        code = server.code_for(self.headers["X-Amz-Target"].rpartition(".")[2], body)
        if code:
            self._send(400, json.dumps({"__type": code, "message": f"not for {_ACCESS}"}).encode())
            return
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)  # type: ignore[attr-defined]
        try:
            connection.request("POST", self.path, body, dict(self.headers))
            answer = connection.getresponse()
            self._send(answer.status, answer.read())
        finally:
            connection.close()

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""
