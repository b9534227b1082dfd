"""Fixtures that several kinds of tests share; the servers behind them are in servers.py."""

import contextlib
import logging
import signal
import sqlite3
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from esg_assets_tests.bucket_servers import GoogleServer, fake_gcs, moto_s3
from esg_assets_tests.kms_server import KmsServer, kms
from esg_assets_tests.servers import (
    S3Server,
    postgres_database,
    postgresql,
    seaweedfs,
)

TESTS = Path(__file__).parent

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # So a shell starts what it puts into the background. Dagster gives SIGTERM the handler of SIGINT, and
    # its compute logs' `tail` would inherit that: each is waited for 30 s and then left running.
    signal.signal(signal.SIGINT, signal.default_int_handler)


LONGEST_FIRST = (
    "e2e/test_dagster_dev.py",
    "e2e/test_leaks.py",
    "canaries/test_canaries.py",
    "e2e/test_sample_book.py",
    "e2e/test_kill.py",
    "proof/test_scale.py",
    "deploy/test_proxy.py",
    "site/test_pages.py",
    "e2e/test_faults.py",
    "e2e/test_store_repair.py",
    "pipeline/test_keys_in_kms.py",
    "pipeline/test_leases.py",
    "pipeline/test_stolen_host.py",
    "monitoring/test_firing.py",
    "adapters/test_chain_races.py",
    "canaries/test_leaky_build.py",
    "simulators/test_contracts.py",
)
"""Files of more than 15 s. Workers take whole files (`--dist loadfile`): a long one that comes last would
be waited for by a worker that has nothing left to do."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files of LONGEST_FIRST before all others; the order within files, and of the others, stays."""
    places = {TESTS / name: place for place, name in enumerate(LONGEST_FIRST)}
    if gone := [str(path) for path in places if not path.exists()]:
        raise pytest.UsageError(f"LONGEST_FIRST of conftest.py names what is not there: {', '.join(gone)}")
    items.sort(key=lambda item: places.get(item.path, len(places)))


@event.listens_for(Engine, "connect")
def _sqlite_leaves_the_disk_to_the_system(connection: object, _: object) -> None:
    """No test cuts the power, and Dagster's storage in a folder waits for the disk at each of its commits.

    In this process only: what is killed, and what commands write, is as it always is.
    """
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous=OFF")


@contextlib.contextmanager
def _what_logs_install_undone() -> Iterator[None]:
    """Log record factory, hooks and lines as they were: `defs` and the console script set them."""
    factory = logging.getLogRecordFactory()
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook
    yield
    if lines := sys.modules.get("esg_assets.log_output"):
        lines.end()
    logging.setLogRecordFactory(factory)
    sys.excepthook, threading.excepthook, sys.unraisablehook = hooks


@pytest.fixture(autouse=True)
def _logs_of_each_test() -> Iterator[None]:
    with _what_logs_install_undone():
        yield


@pytest.fixture(autouse=True, scope="module")
def _logs_of_each_module() -> Iterator[None]:
    """For what fixtures of a module install."""
    with _what_logs_install_undone():
        yield


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """One S3 server for the session; use a prefix of your own."""
    yield from seaweedfs()


@pytest.fixture(scope="session")
def moto_server() -> Iterator[S3Server]:
    """One server of S3 that shows how an object is encrypted at rest; it lets everybody in."""
    yield from moto_s3()


@pytest.fixture(scope="session")
def google_server() -> Iterator[GoogleServer]:
    """One server of Google Cloud Storage for the session; use a prefix of your own."""
    yield from fake_gcs()


@pytest.fixture(scope="session")
def kms_process() -> Iterator[KmsServer]:
    """One KMS for the session; take `kms_server`."""
    yield from kms()


@pytest.fixture
def kms_server(kms_process: KmsServer, monkeypatch: pytest.MonkeyPatch) -> KmsServer:
    """The KMS, nothing counted yet, with the environment by which clients find it."""
    for name, value in kms_process.environment.items():
        monkeypatch.setenv(name, value)
    kms_process.calls.clear()
    kms_process.contexts.clear()
    return kms_process


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """One PostgreSQL server for the session (its superuser's URL); prefer `postgres_database_url`."""
    yield from postgresql()


@pytest.fixture
def postgres_database_url(postgres_url: str) -> Iterator[str]:
    """An empty database of the test's own."""
    with postgres_database(postgres_url) as url:
        yield url
