"""The programs that these tests run."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from esg_assets_tests.monitoring.programs import installed


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """promtool, prometheus, amtool, prometheus-alertmanager and prometheus-pushgateway by name."""
    base = tmp_path_factory.getbasetemp()
    # Workers of pytest-xdist have a folder each, below one of the session.
    return installed((base.parent if base.name.startswith("popen-") else base) / "monitoring-programs")
