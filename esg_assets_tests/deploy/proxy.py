"""The example deploy/proxy/Caddyfile: a real Caddy in front of real webservers, and a browser's requests."""

import base64
import contextlib
import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trustme

from esg_assets_tests.e2e.dagster_ui import DagsterDev
from esg_assets_tests.e2e.installation import PROJECT, Started, program
from esg_assets_tests.servers import free_ports, started

EDITORS, VIEWERS, OTHER = "dagster.example.com", "dagster-view.example.com", "other.example.com"
EDITOR, VIEWER = "editor:only-for-tests", "viewer:only-for-tests"


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def data(self) -> Any:
        """The data of a GraphQL answer."""
        return json.loads(self.body)["data"]


@dataclass
class Door:
    """The proxy, as those before it meet it.

    Attributes:
        port: on 127.0.0.1.
        trust: knows the certificate.
        ui: the webserver of editors, behind it.
    """

    port: int
    trust: ssl.SSLContext
    ui: DagsterDev

    def origin(self, host: str) -> str:
        """The origin of pages of a site."""
        return f"https://{host}:{self.port}"

    def ask(
        self,
        method: str,
        path: str,
        *,
        host: str = EDITORS,
        server_name: str | None = None,
        login: str | None = EDITOR,
        body: str | None = None,
        **headers: str,
    ) -> Answer:
        """One request over TLS; `Content_Type` and the like are header names with a dash."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        sent.setdefault("Host", f"{host}:{self.port}")
        if login:
            sent["Authorization"] = f"Basic {base64.b64encode(login.encode()).decode()}"
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.sock = self.trust.wrap_socket(plain, server_hostname=server_name or host)
        try:
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            # A socket that was upgraded has no end to read to.
            read = b"" if answer.status == http.HTTPStatus.SWITCHING_PROTOCOLS else answer.read()
            return Answer(answer.status, dict(answer.getheaders()), read)
        finally:
            connection.close()

    def post(self, query: str, variables: object, **changed: Any) -> Answer:
        """A GraphQL request as the UI's page makes it."""
        host = changed.get("host", EDITORS)
        asked: dict[str, Any] = {"Content_Type": "application/json", "Origin": self.origin(host)} | changed
        return self.ask(
            "POST", "/graphql", body=json.dumps({"query": query, "variables": variables}), **asked
        )


@contextlib.contextmanager
def door(folder: Path, ui: DagsterDev) -> Iterator[Door]:
    """Caddy with the example file before `ui` (editors) and a read-only webserver of the same home."""
    with _read_only(ui) as viewers:
        authority = trustme.CA()
        certificate = authority.issue_cert(EDITORS, VIEWERS, OTHER)
        (folder / "cert.pem").write_bytes(b"".join(pem.bytes() for pem in certificate.cert_chain_pems))
        certificate.private_key_pem.write_to_path(folder / "key.pem")
        for name, login in (("editors", EDITOR), ("viewers", VIEWER)):
            user, _, password = login.partition(":")
            (folder / f"{name}.users").write_text(f"{user} {_hashed(password)}\n", encoding="ascii")
        trust = ssl.create_default_context()
        authority.configure_trust(trust)

        def start(log: Path) -> tuple[subprocess.Popen[bytes], Callable[[], bool], int]:
            (port,) = free_ports(1)
            environment = {
                "PATH": os.environ["PATH"],
                "HOME": str(folder),
                "TLS_CERT": str(folder / "cert.pem"),
                "TLS_KEY": str(folder / "key.pem"),
                "EDITORS_ORIGIN": f"https://{EDITORS}:{port}",
                "VIEWERS_ORIGIN": f"https://{VIEWERS}:{port}",
                "EDITORS_USERS": str(folder / "editors.users"),
                "VIEWERS_USERS": str(folder / "viewers.users"),
                "EDITORS_UPSTREAM": f"127.0.0.1:{ui.port}",
                "VIEWERS_UPSTREAM": f"127.0.0.1:{viewers}",
                "DOOR_PORT": str(port),
            }
            example = str(PROJECT / "deploy" / "proxy" / "Caddyfile")
            command = [program("caddy"), "run", "--config", example, "--adapter", "caddyfile"]
            with log.open("wb") as output:
                process = subprocess.Popen(
                    command, stdout=output, stderr=subprocess.STDOUT, cwd=folder, env=environment
                )
            return process, lambda: _listens(port), port

        with started(start, folder, stop_with=signal.SIGTERM) as port:
            yield Door(port, trust, ui)


@contextlib.contextmanager
def _read_only(ui: DagsterDev) -> Iterator[int]:
    (port,) = free_ports(1)
    command = [program("dagster-webserver"), "-w", str(PROJECT / "workspace.yaml"), "-h", "127.0.0.1"]
    process = Started([*command, "-p", str(port), "--read-only"], ui.house.home, ui.house.environment)
    try:
        ui.wait_for(lambda: _listens(port), process)
        yield port
    finally:
        process.close()


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def _hashed(password: str) -> str:
    command = [program("caddy"), "hash-password", "--bcrypt-cost", "4", "--plaintext", password]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
