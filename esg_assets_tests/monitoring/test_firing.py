"""A failed night and its end, through the exporter, Prometheus, Alertmanager and a receiver: all real."""

import dataclasses
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from esg_assets.adapters.database.history import SqlHistory
from esg_assets.core.central_time import central_date
from esg_assets.core.history import PublishedReport, RunRecord
from esg_assets.core.ratings import Status
from esg_assets_tests.monitoring.monitors import (
    DEPLOYED,
    Receiver,
    alertmanager,
    prometheus,
    receiving,
    until,
)

NOW = datetime.now(UTC)
TODAY = central_date(NOW)
RUN = RunRecord("run 1", TODAY, "failed", NOW - timedelta(minutes=5), NOW - timedelta(minutes=1))
PUBLISHED = PublishedReport(
    TODAY, 1, 1, "1" * 64, "run 2", dict.fromkeys(Status, 4), TODAY, TODAY.isoformat()
)


@dataclasses.dataclass
class Chain:
    """Everything that is running."""

    history: SqlHistory
    receiver: Receiver
    prometheus: str
    alertmanager: str


@pytest.fixture(scope="module")
def chain(programs: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    """A failed run in the history, and every server with the deployed files, only quicker."""
    home = tmp_path_factory.mktemp("home")
    history = SqlHistory(f"sqlite:///{home}/history.sqlite")
    history.record_run(RUN)
    with (
        receiving() as receiver,
        exporter(home) as metrics,
        alertmanager(programs["prometheus-alertmanager"], quick_routes(receiver.url)) as alerts,
        # What fires before Prometheus has found Alertmanager is lost until it is sent again.
        prometheus(
            programs["prometheus"],
            quick_scrapes(metrics.removeprefix("http://"), alerts.removeprefix("http://")),
            "--rules.alert.resend-delay=2s",
        ) as url,
    ):
        yield Chain(history, receiver, url, alerts)


class exporter:  # noqa: N801 - used like the functions beside it
    """`esg-assets metrics serve` as its user starts it; gives host and port."""

    def __init__(self, home: Path) -> None:
        self._process = subprocess.Popen(
            [Path(sys.executable).with_name("esg-assets"), "metrics", "serve", "--port", "0", "--json"],
            env={
                "DAGSTER_HOME": str(home),
                # At midnight: from then on today's report is late.
                "ESG_REPORT_DEADLINE": "00:00",
                "ESG_DATABASE_URL": f"sqlite:///{home}/history.sqlite",
            },
            cwd=home,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def __enter__(self) -> str:
        assert self._process.stdout is not None
        url = json.loads(self._process.stdout.readline())["url"]
        assert isinstance(url, str)
        return url.removesuffix("/metrics")

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(20)
        assert self._process.returncode == 0
        assert self._process.stdout is not None
        self._process.stdout.close()


def quick_routes(receiver: str) -> dict[str, Any]:
    """The deployed routes with short intervals, each receiver a webhook of the test."""
    config = yaml.safe_load((DEPLOYED / "alertmanager.yml").read_text(encoding="utf-8"))
    del config["global"]

    def hurry(route: dict[str, Any]) -> None:
        # A page waits, as it does where it is deployed, for what may inhibit it.
        wait = "5s" if route["receiver"] == "developers-page" else "0s"
        route |= {"group_wait": wait, "group_interval": "1s", "repeat_interval": "1h"}
        for each in route.get("routes", []):
            hurry(each)

    hurry(config["route"])
    names = [each["name"] for each in config["receivers"]]
    config["receivers"] = [
        {"name": name, "webhook_configs": [{"url": f"{receiver}/{name}", "send_resolved": True}]}
        for name in names
    ]
    return dict(config)


def quick_scrapes(metrics: str, alerts: str) -> dict[str, Any]:
    """The deployed configuration with these targets, looked at every second."""
    config = yaml.safe_load((DEPLOYED / "prometheus.yml").read_text(encoding="utf-8"))
    config["global"] |= {"scrape_interval": "2s", "scrape_timeout": "2s", "evaluation_interval": "1s"}
    config["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] = [alerts]
    config["scrape_configs"][0]["static_configs"][0]["targets"] = [metrics]
    return dict(config)


def test_a_failed_run_and_a_late_report_are_told_to_whom_they_concern_and_their_end_too(
    chain: Chain,
) -> None:
    told = chain.receiver.told
    (failed,) = until(lambda: told("developers", "EsgRunFailed", "firing"), "the failed run is told")
    labels = failed["labels"]
    assert {name: labels[name] for name in ("env", "status", "severity", "audience")} == {
        "env": "dev",
        "status": "failed",
        "severity": "error",
        "audience": "developers",
    }
    assert "runbook" not in labels
    assert failed["annotations"]["summary"] == "The last run of the ESG report in dev ended as failed."
    assert failed["annotations"]["runbook_url"].endswith("/operations#run-failed")
    (late,) = until(lambda: told("business", "EsgReportLate", "firing"), "readers are told that it is late")
    assert late["labels"]["report_date"] == TODAY.isoformat()
    until(lambda: told("dead-man", "Watchdog", "firing"), "the dead-man's switch hears")
    # Who knows that the run failed is not paged for what follows from it.
    until(lambda: inhibited(chain, "EsgReportLate", "developers"), "the page about the late report is held")
    assert told("developers-page", "EsgReportLate", "firing") == []

    chain.history.record_publication(PUBLISHED, {})
    ended = datetime.now(UTC)
    chain.history.record_run(
        dataclasses.replace(
            RUN, run_id="run 2", status="published", started_at=ended, ended_at=ended, version=1
        )
    )
    until(lambda: told("developers", "EsgRunFailed", "resolved"), "the end of the failure is told")
    until(lambda: told("business", "EsgReportLate", "resolved"), "readers are told that it is there")
    assert told("developers-page", "EsgReportLate", "firing") == []
    assert len(told("developers", "EsgRunFailed", "firing")) == 1


def inhibited(chain: Chain, alertname: str, audience: str) -> bool:
    """Whether Alertmanager holds that alert back."""
    alerts = requests.get(f"{chain.alertmanager}/api/v2/alerts", timeout=10).json()
    return any(
        alert["labels"]["alertname"] == alertname
        and alert["labels"]["audience"] == audience
        and alert["status"]["inhibitedBy"]
        for alert in alerts
    )


def test_prometheus_finds_no_fault_in_rules_and_scrapes(chain: Chain) -> None:
    until(lambda: any(target_health(chain)), "the exporter was scraped")
    assert set(target_health(chain)) == {"up"}
    groups = requests.get(f"{chain.prometheus}/api/v1/rules", timeout=10).json()["data"]["groups"]
    assert {rule["health"] for group in groups for rule in group["rules"]} == {"ok"}


def target_health(chain: Chain) -> list[str]:
    targets = requests.get(f"{chain.prometheus}/api/v1/targets", timeout=10).json()["data"]["activeTargets"]
    return [target["health"] for target in targets]
