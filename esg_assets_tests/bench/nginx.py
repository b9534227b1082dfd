"""The server that everybody is measured against: Debian's nginx on loopback, over TLS.

It answers each account's rating of the contract with the id and date that were asked for, checks the
bearer token, and keeps the log that calls and refusals are counted from.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

TOKEN = "bench-token"
BURST = 50
INSTALL = ["apt-get", "install", "--yes", "--no-install-recommends", "nginx"]
START_SECONDS = 10.0
STOP_SECONDS = 10.0


class NginxMissing(Exception):
    """nginx is not installed, and this user cannot install it."""


def find_or_install() -> str:
    """Path of nginx; installs Debian's package if there is none and this user is root.

    Raises:
        NginxMissing: with the command that installs it.
    """
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"])
    found = shutil.which("nginx", path=path)
    if found:
        return found
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise NginxMissing(f"nginx is not installed. Run `sudo {' '.join(INSTALL)}`, then again.")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "--quiet"], check=True, env=environment)
    subprocess.run(INSTALL, check=True, env=environment)
    installed = shutil.which("nginx", path=path)
    assert installed is not None, "apt-get installed nginx where it cannot be found"
    return installed


# `return` runs before the limit is looked at, so the answer stands in a location of its own that is
# reached after it. keepalive_requests and buffers are nginx's defaults.
CONFIGURATION = """\
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  log_format calls '$msec $request_time $status $account';
  limit_req_zone $binary_remote_addr zone=provider:1m rate={zone_rate}r/s;
  limit_req_status 429;
  server {{
    listen 127.0.0.1:{port} ssl;
    server_name 127.0.0.1;
    ssl_certificate {folder}/server.pem;
    ssl_certificate_key {folder}/server.key;
    ssl_protocols TLSv1.2 TLSv1.3;
    access_log {folder}/calls.log calls;
    location ~ "^/v1/accounts/(?<account>[A-Za-z0-9-]+)/esg-rating$" {{
      if ($http_authorization != "Bearer {token}") {{ return 401; }}
      {limit}
      try_files /none @rating;
    }}
    location @rating {{
      default_type application/json;
      return 200 '{rating}';
    }}
    location / {{ return 404; }}
  }}
}}
"""


# The braces of nginx's variables and of JSON would be Python's in CONFIGURATION.
RATING = (
    '{"account_id":"$account","as_of":"$arg_as_of","overall_score":61.25,"environmental_score":58.50,'
    '"social_score":64.00,"governance_score":61.25,"primary_focus":"environmental","rating":"BBB",'
    '"coverage_pct":97.5,"metrics":{"waci_tco2e_per_musd_revenue":112.4,"severe_controversies":0}}'
)


@dataclass(frozen=True)
class Server:
    """A running nginx.

    Attributes:
        url: its base URL.
        ca: PEM file of the authority that signed its certificate.
        log: its log of calls, for `access_log`.
    """

    url: str
    ca: Path
    log: Path


def configuration(folder: Path, port: int, rate: float) -> str:
    """What nginx is told: everything in `folder`, on `port`, limited to `rate` calls/s unless that is 0."""
    return CONFIGURATION.format(
        folder=folder,
        port=port,
        token=TOKEN,
        rating=RATING,
        zone_rate=int(rate) or 1,
        limit=f"limit_req zone=provider burst={BURST} nodelay;" if rate else "",
    )


@contextmanager
def serving(nginx: str, folder: Path, rate: float) -> Iterator[Server]:
    """nginx in `folder` (made if it is not there), with `limit_req` at `rate` calls/s unless that is 0."""
    folder.mkdir(parents=True, exist_ok=True)
    ca = _certificates(folder)
    port = _free_port()
    (folder / "nginx.conf").write_text(configuration(folder, port, rate), encoding="utf-8")
    log = folder / "calls.log"
    log.unlink(missing_ok=True)
    with (folder / "nginx.out").open("wb") as out:
        process = subprocess.Popen(
            [nginx, "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")],
            stdout=out,
            stderr=out,
        )
    try:
        _wait_for(process, port, folder)
        yield Server(f"https://127.0.0.1:{port}", ca, log)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(STOP_SECONDS)


def _certificates(folder: Path) -> Path:
    import trustme  # noqa: PLC0415  # heavy, and not wanted where only the log is read

    authority = trustme.CA(key_type=trustme.KeyType.ECDSA)
    issued = authority.issue_cert("127.0.0.1", key_type=trustme.KeyType.ECDSA)
    for n, pem in enumerate(issued.cert_chain_pems):
        pem.write_to_path(str(folder / "server.pem"), append=n > 0)
    issued.private_key_pem.write_to_path(str(folder / "server.key"))
    ca = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(ca))
    return ca


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def _wait_for(process: "subprocess.Popen[bytes]", port: int, folder: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError(f"nginx did not start: {(folder / 'nginx.out').read_text(encoding='utf-8')}")
