"""Opening Dagster's instance from a command of ours."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from esg_assets.core.ports import Leases

LEASE = "dagster_instance"
WAIT_SECONDS = 60.0
"""Making the databases takes a second or two; much longer on a machine that is very busy."""


@contextmanager
def opened_instance(leases: Leases) -> Iterator[dg.DagsterInstance]:
    """The instance in force; processes that open it at once do so one after the other.

    Dagster makes its SQLite databases where they are missing, and two processes that do so at the
    same time disturb each other: one ends with an OperationalError.

    Args:
        leases: of this installation.

    Raises:
        LeaseBusy: another process has been opening it for a minute.
    """
    with leases.hold(LEASE, f"process {os.getpid()}", wait_seconds=WAIT_SECONDS):
        instance = dg.DagsterInstance.get()
    with instance:
        yield instance
