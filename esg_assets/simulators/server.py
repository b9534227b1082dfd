"""Running the simulators: in the foreground, or in a child process that never outlives its parent."""

import json
import os
import select
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from types import TracebackType
from typing import Any, Self, cast

import uvicorn

from esg_assets.simulators.app import Simulators
from esg_assets.simulators.connection import SimulatorProtocol
from esg_assets.simulators.options import Options

_START_SECONDS = 60.0
_STOP_SECONDS = 3.0


class SimulatorFailed(Exception):
    """The simulators could not be started or asked; the message says what they said."""


def serve(options: Options, ready: Callable[[str], None] | None = None) -> None:
    """Serve until SIGINT or SIGTERM.

    Args:
        options: what to serve, and where.
        ready: called with the base URL once connections are taken.

    Raises:
        WrongInput: a file cannot be served.
        OSError: the port cannot be had.
    """
    application = Simulators(options)
    listener = socket.create_server((options.host, options.port), backlog=2048)
    scheme = "https" if options.tls_cert else "http"
    if ready is not None:
        ready(f"{scheme}://{options.host}:{listener.getsockname()[1]}")
    uvicorn.Server(_config(application, options)).run(sockets=[listener])


def _config(application: Simulators, options: Options) -> uvicorn.Config:
    return uvicorn.Config(
        cast("Any", application),
        http=SimulatorProtocol,
        loop="uvloop",
        ws="none",
        lifespan="off",
        access_log=False,
        # What it says otherwise is about faults that were ordered: answers cut off, tasks cancelled.
        log_level="critical",
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=1,
        ssl_certfile=options.tls_cert or None,
        ssl_keyfile=options.tls_key or None,
        ssl_ca_certs=options.tls_client_ca or None,
        ssl_cert_reqs=ssl.CERT_REQUIRED if options.tls_client_ca else ssl.CERT_NONE,
    )


class SimulatorServer:
    """The simulators in a child process, with /_simulator/ switched on.

    A context manager; `url` is the base URL of both APIs. The child ends when this process does,
    however it does.

    Args:
        options: what to serve; a port of 0 takes a free one.
        client_cert: PEM certificate and key for statistics and control under mutual TLS.

    Raises:
        SimulatorFailed: it did not start; with what it said.
    """

    def __init__(self, options: Options | None = None, client_cert: tuple[str, str] | None = None) -> None:
        self.options = replace(options or Options(), control=True)
        self._opener = _opener(client_cert)
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  # lives as long as the child
        self._process = subprocess.Popen(
            [sys.executable, "-m", "esg_assets.simulators", "--as-child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            # Ctrl-C in the terminal is the parent's to handle; the child ends with it.
            start_new_session=True,
        )
        self.url = self._start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """Process id of the child."""
        return self._process.pid

    def stats(self, *, arrivals: bool = False, accounts: bool = False) -> dict[str, Any]:
        """Statistics.report, and `tokens_issued`."""
        asked = [name for name, wanted in (("arrivals", arrivals), ("accounts", accounts)) if wanted]
        return self._ask("stats?" + "&".join(f"{name}=1" for name in asked))

    def reset(self) -> None:
        """Counters and tries back to zero."""
        self._ask("reset", {})

    def order_faults(self, spec: str, seed: int | None = None) -> None:
        """Other faults from now on; each account's tries start at 1 again."""
        self._ask("faults", {"spec": spec} | ({} if seed is None else {"seed": seed}))

    def order_token_faults(self, spec: str) -> None:
        """The next requests for a token meet these faults, one after the other."""
        self._ask("token_faults", {"spec": spec})

    def order_outage(self, **window: str | float | bool) -> None:
        """An outage: `on=True` until `on=False`, `seconds=`, or `first=` and `last=`; and its `kind`."""
        self._ask("outage", window)

    def change_rate(self, rate: float, burst: float) -> None:
        """Another rate limit from now on."""
        self._ask("rate", {"rate": rate, "burst": burst})

    def revoke_tokens(self) -> None:
        """Every token that was issued ends now."""
        self._ask("revoke", {})

    def close(self) -> None:
        """Stop the child; does nothing the second time."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._said):
            if stream is not None and not stream.closed:
                stream.close()

    def _start(self) -> str:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        try:
            stdin.write(json.dumps(asdict(self.options)).encode() + b"\n")
            stdin.flush()
            answered, _, _ = select.select([stdout], [], [], _START_SECONDS)
            line = stdout.readline() if answered else b""
        except BrokenPipeError:
            line = b""
        if line:
            return line.decode().strip()
        self._process.kill()
        self._process.wait()
        self._said.seek(0)
        said = self._said.read().decode(errors="replace").strip()
        self.close()
        raise SimulatorFailed(f"The simulators did not start: {said or f'silent for {_START_SECONDS:g} s'}")

    def _ask(self, action: str, told: Mapping[str, object] | None = None) -> dict[str, Any]:
        request = urllib.request.Request(  # noqa: S310  # our own child on loopback
            f"{self.url}/_simulator/{action}",
            data=None if told is None else json.dumps(told).encode(),
        )
        try:
            with self._opener.open(request, timeout=30) as answer:
                return cast("dict[str, Any]", json.load(answer))
        except urllib.error.HTTPError as error:
            with error:
                raise SimulatorFailed(f"{action}: {json.load(error).get('detail')}") from None


def _opener(client_cert: tuple[str, str] | None) -> urllib.request.OpenerDirector:
    # Our own child on loopback: its certificate may be of any CA, for any name.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if client_cert is not None:
        context.load_cert_chain(*client_cert)
    # Proxy variables of the environment are not for loopback.
    return urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
    )


def run_as_child() -> None:
    """Serve what standard input says (Options as one JSON line) for as long as the parent lives."""
    options = Options(**json.loads(sys.stdin.buffer.readline()))
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()

    def ready(url: str) -> None:
        sys.stdout.write(url + "\n")
        sys.stdout.flush()

    serve(options, ready)


def _end_with_parent(parent: int) -> None:
    """End this process when the parent's end of our standard input closes or we get another parent.

    Either can be missed: a fork of the parent may hold the pipe open, and a subreaper may have the
    parent's number.
    """
    while os.getppid() == parent:
        readable, _, _ = select.select([0], [], [], 0.5)
        if readable and not os.read(0, 1024):
            break
    os._exit(0)
