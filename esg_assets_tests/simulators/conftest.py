"""One open server for tests that only read or that order what they need."""

from collections.abc import Iterator

import pytest

from esg_assets.simulators.options import Options
from esg_assets.simulators.server import SimulatorServer


@pytest.fixture(scope="module")
def open_server() -> Iterator[SimulatorServer]:
    """No authentication, no limit, 300 generated accounts that all have a rating, seed 7."""
    with SimulatorServer(Options(auth="none", accounts=300, unrated=0.0, seed=7)) as server:
        yield server
