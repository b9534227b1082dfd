"""A real `dagster dev` that is killed in the middle of today's report: an outside service notices."""

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from esg_assets.core.central_time import central_date
from esg_assets.simulators.options import Options
from esg_assets.simulators.server import SimulatorServer
from esg_assets_tests.e2e.dagster_ui import DagsterDev
from esg_assets_tests.e2e.installation import Installation
from esg_assets_tests.servers import free_ports
from esg_assets_tests.silence_receiver import receiver

pytestmark = pytest.mark.proof

UNTIL_THE_DEADLINE, FIFTEEN_MINUTES = 90.0, 15.0
"""Seconds; the second one stands for the quarter of an hour after the deadline."""


def test_a_killed_daemon_is_noticed_within_the_quarter_of_an_hour_after_the_deadline(tmp_path: Path) -> None:
    today = central_date(datetime.now(UTC)).isoformat()
    deadline = time.time() + UNTIL_THE_DEADLINE
    (port,) = free_ports(1)
    with (
        receiver(tmp_path, port, deadline, FIFTEEN_MINUTES) as outside,
        SimulatorServer(Options(accounts=200, auth="none", latency=20.0)) as server,
    ):
        house = Installation.new(tmp_path / "home", server.url, ESG_HEARTBEAT_URL=outside.url)
        ui = DagsterDev(house)
        try:
            ui.launch(today)
            ui.wait_for(lambda: server.stats()["calls"] > 0)
        finally:
            ui.kill()
        assert time.time() < deadline, "the machine is too slow for this deadline"
        assert outside.notices() == []
        outside.wait()
        assert outside.notices() == ["silence"]
        (at,) = outside.noticed_at()
        assert deadline <= at <= deadline + FIFTEEN_MINUTES + 1
