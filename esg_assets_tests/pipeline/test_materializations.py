"""What a night leaves in Dagster's event log for people: the chart, plots, rows, columns and links."""

import base64
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any
from xml.etree import ElementTree as ET

import dagster as dg
import pytest

from esg_assets.core import day_chart
from esg_assets.core.history import ClearFigures
from esg_assets.core.ratings import Metric, Reply
from esg_assets_tests.fakes import rating_reply
from esg_assets_tests.pipeline.house import DAY, House, Ran, new_house

SITE, RUNBOOK = "https://esg.example.com", "https://wiki.example.com/esg"
SVG = "{http://www.w3.org/2000/svg}"
HEADING = "PARTIAL: ESG report of 15 January 2026"
METRIC = Metric("waci", "tCO2e/USDm", "lower")


def scored(account_id: str, as_of: date) -> Reply:
    """A rating whose overall score goes with the account's number: 30, 33, … 63."""
    plain = rating_reply(account_id, as_of)
    score = 30 + 3 * int(account_id[-2:])
    body = re.sub(rb'("overall_score":\s*)[\d.]+', rb"\g<1>" + str(score).encode(), plain.body)
    assert body != plain.body
    return Reply(plain.status, body)


@dataclass
class Night:
    """One night, and the house that it left."""

    house: House
    ran: Ran

    def figures(self) -> ClearFigures:
        """What the history holds of it."""
        past = self.house.history.latest(DAY)
        assert past is not None
        return past.figures


FAILURES = {"ACC-00003": [Reply(422)], "ACC-00007": [Reply(422)]}


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    """Two failures among twelve accounts, of which everything may be shown; the tests only look at it."""
    with dg.DagsterInstance.ephemeral() as instance:
        house = new_house(tmp_path_factory.mktemp("night"), instance)
        house.answers(FAILURES, otherwise=scored)
        ran = house.run(min_cell=1, site_url=SITE, runbook_url=RUNBOOK, metrics=(METRIC,))
        assert ran.success
        yield Night(house, ran)


def chart(ran: Ran) -> ET.Element:
    """The image of the chart, from the Markdown that holds it."""
    markdown = ran.metadata("daily_summary")["chart"]
    assert len(markdown) < 12_000, "it stays in the event log, for every night"
    image = re.match(
        r"!\[PARTIAL: ESG report of 15 January 2026\]\(data:image/svg\+xml;base64,(.*?)\)", markdown
    )
    assert image is not None, markdown[:200]
    return ET.fromstring(base64.b64decode(image[1], validate=True))


def texts(image: ET.Element) -> list[str]:
    return [each.text or "" for each in image.iter(f"{SVG}text")]


def test_the_chart_is_an_image_of_what_the_history_holds(night: Night) -> None:
    image, told = chart(night.ran), night.figures()
    assert texts(image)[0] == HEADING
    assert "Version 1. 10 of 12 accounts rated." in texts(image)
    bars = [float(r.attrib["height"]) for r in image.iter(f"{SVG}rect") if r.get("fill") == day_chart.BAR]
    counts = [told[f"histogram.overall.{start:02d}"] for start in range(0, 100, 5)]
    filled = [count for count in counts if count]
    assert sum(filled) == 10
    highest = max(filled)
    assert bars == pytest.approx(
        [count / highest * (day_chart.BOTTOM - day_chart.TOP) for count in filled], abs=0.1
    )
    for score in ("overall_score", "environmental_score", "social_score", "governance_score"):
        assert f"{told[f'{score}.mean']:.1f}" in texts(image)


def test_the_chart_shows_nothing_over_too_few_accounts(house: House) -> None:
    house.answers(FAILURES, otherwise=scored)
    ran = house.run(min_cell=100)
    image = chart(ran)
    assert "withheld: too few accounts" in texts(image)
    assert texts(image).count("withheld or none") == 4
    assert not [r for r in image.iter(f"{SVG}rect") if r.get("fill") in {day_chart.BAR, day_chart.SOFT}]
    assert not [key for key in ran.metadata("daily_summary") if "score_" in key]


def test_a_chart_that_can_not_be_drawn_fails_no_night_and_says_so_without_values(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(page: object) -> str:
        raise ValueError("ACC-00001 scored 52.5")

    monkeypatch.setattr(day_chart, "day_chart", broken)
    with caplog.at_level(logging.WARNING):
        ran = house.run()
    assert ran.success
    assert house.published() is not None
    assert "chart" not in ran.metadata("daily_summary")
    assert "summary" in ran.metadata("daily_summary")
    assert "the chart of 2026-01-15 could not be drawn: an unexpected ValueError at " in caplog.text
    assert "52.5" not in caplog.text


def test_numbers_that_plot_are_the_history_s(night: Night) -> None:
    shown, told = night.ran.metadata("daily_summary"), night.figures()
    assert {key: shown[key] for key in shown if isinstance(shown[key], float | int)} == {
        "version": 1,
        "chain_entry": 1,
        "accounts": 12,
        "accounts_rated": 10,
        "accounts_not_rated": 0,
        "accounts_failed": 2,
        "accounts_scored": 10,
        "accounts_with_stale_rating": told["ratings.stale"],
        "success_rate_pct": 83.3,
        "overall_score_mean_points": told["overall_score.mean"],
        "overall_score_weighted_mean_points": told["overall_score.weighted_mean"],
        "environmental_score_mean_points": told["environmental_score.mean"],
        "social_score_mean_points": told["social_score.mean"],
        "governance_score_mean_points": told["governance_score.mean"],
        "collection_calls": 12,
        "collection_retries": 0,
        "collection_refusals_429": 0,
        "collection_seconds": told["collection.seconds"],
    }


def test_rows_and_columns_are_those_of_the_report_that_was_written(night: Night) -> None:
    for asset in ("active_accounts", "esg_ratings", "encrypted_report_csv"):
        assert night.ran.metadata(asset)["dagster/partition_row_count"] == 12
    schema: Any = night.ran.metadata("encrypted_report_csv")["dagster/column_schema"]
    rows = night.house.report()
    assert [column.name for column in schema.columns] == list(rows["ACC-00000"])
    required = {column.name for column in schema.columns if not column.constraints.nullable}
    assert required == {"report_date", "as_of", "account_id", "processing_status"}
    for cells in rows.values():
        assert all(cells[name] for name in required)


def test_each_materialization_leads_to_the_page_of_its_day_and_to_the_runbook(night: Night) -> None:
    for asset in ("active_accounts", "esg_ratings", "encrypted_report_csv", "daily_summary"):
        assert night.ran.metadata(asset)["page"] == f"{SITE}/reports/2026-01-15/index.html"
        assert night.ran.metadata(asset)["runbook"] == RUNBOOK


def links(house: House) -> dict[str, dg.MetadataValue[Any] | None]:
    return {name: check.metadata.get("runbook") for name, check in house.checks().items()}


def test_a_check_that_failed_leads_to_its_section_and_no_other_does(night: Night) -> None:
    found = links(night.house)
    assert found.pop("failure_rate") == dg.MetadataValue.url(f"{RUNBOOK}#failure-rate")
    assert set(found.values()) == {None}


def test_a_report_that_does_not_verify_leads_to_its_section_which_is_named_without_a_url(
    house: House,
) -> None:
    house.run()
    publication = house.published()
    assert publication is not None
    sealed = house.home / "store" / publication.report.key
    sealed.chmod(0o600)
    sealed.write_bytes(b"nothing of ours")
    check = dg.AssetCheckKey(dg.AssetKey("encrypted_report_csv"), "report_still_verifies")
    job = house.defs().resolve_implicit_global_asset_job_def()
    job.get_subset(asset_selection=set(), asset_check_selection={check}).execute_in_process(
        instance=house.instance, partition_key=DAY.isoformat()
    )
    assert links(house)["report_still_verifies"] == dg.MetadataValue.text(
        "docs/operations.md#report-still-verifies"
    )
