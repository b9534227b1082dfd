"""Asking the real Prometheus what the dashboard asks, over the made-up month."""

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from esg_assets_tests.monitoring import month
from esg_assets_tests.monitoring.monitors import prometheus

ENVIRONMENT = "prod"

Series = list[dict[str, Any]]


@contextmanager
def prometheus_with_a_month(programs: Mapping[str, Path], folder: Path, seed: int = 7) -> Iterator[str]:
    """Prometheus with the month of that seed; yields its URL."""
    text, data = folder / "month.om", folder / "data"
    with text.open("w", encoding="utf-8") as file:
        file.writelines(month.open_metrics(month.samples(seed), ENVIRONMENT))
    command: list[str | Path] = [
        programs["promtool"],
        "tsdb",
        "create-blocks-from",
        "--max-block-duration=1000h",
        "openmetrics",
    ]
    subprocess.run([*command, "-q", text, data], check=True, capture_output=True, cwd=folder)
    # Samples are an hour apart, and Prometheus forgets one after five minutes by default.
    with prometheus(programs["prometheus"], {}, "--query.lookback-delta=59m", data=data) as url:
        yield url


def over_the_month(url: str, query: str) -> Series:
    """The series of a query, hour by hour. Raises ValueError with Prometheus' words if it refuses it."""
    span = {"start": (month.END - month.STEP * 24 * month.DAYS).timestamp(), "end": month.END.timestamp()}
    return _asked(f"{url}/api/v1/query_range", query, {**span, "step": month.STEP.total_seconds()})


def at_the_end(url: str, query: str) -> Series:
    """The series of a query, at the end of the month."""
    return _asked(f"{url}/api/v1/query", query, {"time": (month.END - month.STEP).timestamp()})


def _asked(address: str, query: str, when: Mapping[str, float]) -> Series:
    asked = {
        "query": query.replace("$env", ENVIRONMENT),
        **{name: str(value) for name, value in when.items()},
    }
    answer = requests.post(address, data=asked, timeout=30).json()
    if answer["status"] != "success":
        raise ValueError(answer["error"])
    found: Series = answer["data"]["result"]
    return found
