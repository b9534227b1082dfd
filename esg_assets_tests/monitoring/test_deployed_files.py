"""The files in deploy/monitoring: valid to the tools that read them, tested, and true to what we export."""

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from esg_assets.core.alerts.kinds import KINDS
from esg_assets.core.metrics.catalogue import METRICS
from esg_assets_tests.monitoring import table
from esg_assets_tests.monitoring.monitors import DEPLOYED
from esg_assets_tests.monitoring.panels import ROWS

OPERATIONS = DEPLOYED.parents[1] / "docs" / "operations.md"
RULES = [
    rule
    for group in yaml.safe_load((DEPLOYED / "rules.yml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
OWN = {"metrics-absent", "watchdog"}
"""Sections of docs/operations.md about what only Prometheus can tell."""


def ran(programs: Mapping[str, Path], name: str, *arguments: str) -> str:
    """What a tool says about the deployed files; it must be content."""
    done = subprocess.run(
        [programs[name], *arguments], cwd=DEPLOYED, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_promtool_and_amtool_accept_the_files(programs: Mapping[str, Path]) -> None:
    ran(programs, "promtool", "check", "config", "prometheus.yml")
    ran(programs, "promtool", "check", "rules", "rules.yml")
    ran(programs, "amtool", "check-config", "alertmanager.yml")


def test_the_rules_fire_when_they_should_and_only_then(programs: Mapping[str, Path]) -> None:
    assert "SUCCESS" in ran(programs, "promtool", "test", "rules", "rules_test.yml")


def test_every_rule_has_a_test_in_which_it_fires() -> None:
    tests = yaml.safe_load((DEPLOYED / "rules_test.yml").read_text(encoding="utf-8"))["tests"]
    fired = {
        (case["alertname"], alert["exp_labels"]["severity"], alert["exp_labels"]["audience"])
        for test in tests
        for case in test.get("alert_rule_test", [])
        for alert in case["exp_alerts"]
    }
    assert {(r["alert"], r["labels"]["severity"], r["labels"]["audience"]) for r in RULES} == fired


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule['alert']} {rule['labels']['severity']}")
def test_every_rule_says_how_bad_for_whom_and_what_to_do(rule: dict[str, Any]) -> None:
    labels, annotations = rule["labels"], rule["annotations"]
    assert labels["severity"] in {"error", "warning", "none"}
    assert labels["audience"] in {"developers", "business", "monitors"}
    assert set(labels) <= {"severity", "audience", "told"}
    assert annotations["summary"]
    base, _, anchor = annotations["runbook_url"].partition("#")
    assert base == "{{ $externalLabels.runbook }}"
    assert anchor in {kind.anchor for kind in KINDS.values()} | OWN


def test_sections_that_only_prometheus_leads_to_exist() -> None:
    headings = re.findall(r"^#+ (.+)$", OPERATIONS.read_text(encoding="utf-8"), re.MULTILINE)
    assert {heading.lower().replace(" ", "-") for heading in headings} >= OWN


def test_rules_and_panels_ask_for_nothing_that_is_not_exported() -> None:
    asked = [rule["expr"] for rule in RULES]
    asked += [query for row in ROWS.values() for panel in row for query in panel.queries.values()]
    names = {name for text in asked for name in re.findall(r'(?<!")\besg_[a-z_]+', text)}
    assert len(names) > 30
    assert names - set(METRICS) == set()


def test_the_documented_metrics_are_those_of_the_catalogue() -> None:
    text = table.DOCUMENT.read_text(encoding="utf-8")
    assert text == table.with_table(text), "python -m esg_assets_tests.monitoring.table --write"


PAGE = "developers-page"


@pytest.mark.parametrize(
    ("labels", "receivers"),
    [
        ("alertname=Watchdog severity=none audience=monitors", "dead-man"),
        ("alertname=EsgReportLate severity=error audience=business told=outbox env=prod", "business"),
        ("alertname=EsgReportLate severity=error audience=developers env=prod", PAGE),
        ("alertname=EsgRunFailed severity=error audience=developers told=outbox", "developers"),
        (
            "alertname=EsgAccountFailureRateHigh severity=warning audience=developers told=outbox",
            "developers",
        ),
        ("alertname=EsgAssetCheckFailed severity=error audience=developers told=outbox", "developers"),
        ("alertname=EsgAlertRefused severity=error audience=developers told=outbox", "developers"),
        ("alertname=EsgOutboxStuck severity=error audience=developers", PAGE),
        ("alertname=EsgMetricsAbsent severity=error audience=developers", PAGE),
        ("alertname=EsgMetricsStale severity=error audience=developers", PAGE),
        ("alertname=EsgSourceSilent severity=error audience=developers", PAGE),
        ("alertname=EsgDaemonSilent severity=error audience=developers", PAGE),
        ("alertname=EsgSensorSilent severity=error audience=developers", PAGE),
        ("alertname=EsgScheduleSilent severity=error audience=developers", PAGE),
        ("alertname=OfSomebodyElse severity=warning", "developers"),
    ],
)
def test_routes_lead_to_the_right_receiver(programs: Mapping[str, Path], labels: str, receivers: str) -> None:
    verify = f"--verify.receivers={receivers}"
    ran(
        programs,
        "amtool",
        "config",
        "routes",
        "test",
        "--config.file=alertmanager.yml",
        verify,
        *labels.split(),
    )


def test_every_rule_is_among_the_routes_that_are_tested() -> None:
    marks = test_routes_lead_to_the_right_receiver.pytestmark  # type: ignore[attr-defined]  # pytest's
    tested = {labels.partition(" ")[0].removeprefix("alertname=") for labels, _ in marks[0].args[1]}
    assert {rule["alert"] for rule in RULES} <= tested
