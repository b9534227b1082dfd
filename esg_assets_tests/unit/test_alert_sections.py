"""Every kind of alert and rule of Prometheus has its section for who is on call, and no section has none."""

import re
from collections.abc import Mapping

import pytest
import yaml

from esg_assets.core.alerts.kinds import KINDS, Family, Kind
from esg_assets_tests.unit.test_docs import PROJECT, anchors

OPERATIONS = PROJECT / "docs" / "operations.md"
RULES = PROJECT / "deploy" / "monitoring" / "rules.yml"
OF_PROMETHEUS_ALONE = {"metrics-absent", "watchdog"}


def sections() -> Mapping[str, str]:
    """Texts of the sections of alerts, under "Alerts" and "Checks", by anchor."""
    text = OPERATIONS.read_text(encoding="utf-8")
    found = {}
    for part in ("Alerts", "Checks"):
        (body,) = re.findall(rf"^## {part}\n(.*?)(?=^## )", text, re.MULTILINE | re.DOTALL)
        for title, section in re.findall(r"^### (.+?)\n(.*?)(?=^### |\Z)", body, re.MULTILINE | re.DOTALL):
            found[re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")] = section
    return found


def rules() -> list[dict[str, object]]:
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: str(kind.name))
def test_every_kind_has_its_section_that_names_it(kind: Kind) -> None:
    section = sections()[kind.anchor]
    assert section.lstrip().startswith(f"`{kind.name}`"), "the name comes first, so that a search finds it"
    assert kind.anchor in anchors(OPERATIONS)


@pytest.mark.parametrize("anchor", sorted({kind.anchor for kind in KINDS.values()} | OF_PROMETHEUS_ALONE))
def test_a_section_says_what_to_do_and_how_to_prove_that_it_is_over(anchor: str) -> None:
    quiet = {kind.anchor for kind in KINDS.values() if kind.family is Family.NOTICE}
    section = sections()[anchor]
    assert ("**Do:**" in section) != (anchor in quiet)
    assert ("**Over when** " in section) != (anchor in quiet)


def test_every_section_is_about_a_kind_or_a_rule() -> None:
    known = {kind.anchor for kind in KINDS.values()} | OF_PROMETHEUS_ALONE | {"by-prometheus-rules"}
    assert set(sections()) == known


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: f"{rule['alert']}-{rule['labels']}")
def test_every_rule_of_prometheus_links_to_a_section_and_is_listed(rule: dict[str, dict[str, str]]) -> None:
    _, _, anchor = rule["annotations"]["runbook_url"].partition("#")
    section = sections()[anchor]
    (row,) = [
        x for x in sections()["by-prometheus-rules"].splitlines() if re.search(rf"\b{rule['alert']}\b", x)
    ]
    assert f"(#{anchor})" in row
    assert section
