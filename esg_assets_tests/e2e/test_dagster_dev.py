"""Dagster's own UI, driven through GraphQL: what a person clicks there works, and history is kept."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from esg_assets.simulators.options import Options
from esg_assets.simulators.server import SimulatorServer
from esg_assets_tests.e2e.dagster_ui import ASSETS, DagsterDev, dagster_dev
from esg_assets_tests.e2e.installation import Installation
from esg_assets_tests.notifiers.http_stubs import ROUTING_KEY, PagerDuty, served
from esg_assets_tests.site.browser import chromium
from esg_assets_tests.tls_servers import CA, pem_file

ACCOUNTS = 150
ONE, TERMINATED, FAILING, FROM_CLI = "2026-01-06", "2026-01-08", "2026-01-20", "2026-01-13"
REFUSED, HEALTHY = "2026-01-19", "2026-01-21"
PAGED = {f"esg/dev/{REFUSED}/run_failed/AccessDenied", f"esg/dev/{FAILING}/failure_rate"}
SITE = "https://esg.example.com"
THREE = ("2026-01-15", "2026-01-16", "2026-01-17")


@dataclass
class Ground:
    """One `dagster dev` with its simulators; each test has dates of its own."""

    ui: DagsterDev
    house: Installation
    server: SimulatorServer
    pager: PagerDuty
    failed_at: float = 0.0


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    folder = tmp_path_factory.mktemp("dagster_dev")
    with (
        served(PagerDuty()) as pager,
        SimulatorServer(Options(accounts=ACCOUNTS, auth="none", inactive=0, unrated=0)) as server,
    ):
        house = Installation.new(
            folder / "home",
            server.url,
            ESG_API_TIMEOUT_SECONDS="60",
            ESG_SITE_URL=SITE,
            ESG_PAGERDUTY_URL=pager.url,
            ESG_PAGERDUTY_ROUTING_KEY=ROUTING_KEY,
            ESG_ALERT_CA_BUNDLE=str(pem_file(folder / "ca.pem", CA.cert_pem)),
        )
        with dagster_dev(house) as ui:
            yield Ground(ui, house, server, pager)


def test_one_partition_is_materialized_with_its_checks(ground: Ground) -> None:
    run = ground.ui.launch(ONE)
    assert ground.ui.ended(run) == "SUCCESS"
    for asset in ASSETS:
        assert ground.ui.materialized(asset, ONE) == {ONE: run}
    assert ground.ui.checks("active_accounts", ONE) == {
        "accounts_complete_and_unique": "SUCCEEDED",
        "account_count_plausible": "SUCCEEDED",
    }
    assert ground.ui.checks("esg_ratings", ONE) == {
        "every_account_has_one_outcome": "SUCCEEDED",
        "failure_rate": "SUCCEEDED",
        "not_rated_rate": "SUCCEEDED",
    }
    assert ground.ui.checks("encrypted_report_csv", ONE) == {
        "report_equals_ratings": "SUCCEEDED",
        "keys_unchanged": "SUCCEEDED",
        "report_still_verifies": "SUCCEEDED",
    }
    assert len(ground.house.rows(ONE)) == ACCOUNTS


def test_a_browser_draws_the_chart_of_a_partition_and_is_led_to_its_page(ground: Ground) -> None:
    with chromium() as browser:
        page = browser.new_page()
        page.goto(f"{ground.ui.url}/assets/daily_summary?view=partitions&partition={ONE}")
        page.get_by_role("link", name=f"{SITE}/reports/{ONE}/index.html").first.wait_for()
        page.locator("tr", has=page.get_by_text("chart", exact=True)).get_by_text("[Show Markdown]").click()
        image = page.locator("img[src^='data:image/svg+xml']")
        image.wait_for()
        assert image.get_attribute("alt") == "COMPLETE: ESG report of 6 January 2026"
        assert image.evaluate("i => [i.naturalWidth, i.naturalHeight]") == [720, 320]


def test_three_partitions_are_backfilled_by_one_run_each(ground: Ground) -> None:
    backfill = ground.ui.backfill(THREE)
    # Of the backfill itself Dagster looks every half minute only.
    ground.ui.wait_for(lambda: len(ground.ui.runs_of(backfill)) == 3)
    runs = [run["runId"] for run in ground.ui.runs_of(backfill)]
    assert [ground.ui.ended(run) for run in runs] == ["SUCCESS"] * 3
    made = ground.ui.materialized("daily_summary", *THREE)
    assert set(made) == set(THREE)
    assert set(made.values()) == set(runs)


def test_a_check_that_fails_is_seen_on_its_partition(ground: Ground) -> None:
    ground.server.order_faults("422=0.2/sticky")
    run = ground.ui.launch(FAILING)
    assert ground.ui.ended(run) == "SUCCESS", "too many failures for comfort are no reason to publish nothing"
    ground.server.order_faults("")
    assert ground.ui.checks("esg_ratings", FAILING) == {
        "every_account_has_one_outcome": "SUCCEEDED",
        "failure_rate": "FAILED",
        "not_rated_rate": "SUCCEEDED",
    }


def test_a_provider_that_refuses_fails_the_run(ground: Ground) -> None:
    ground.server.order_faults("403=1/sticky")
    assert ground.ui.ended(ground.ui.launch(REFUSED)) == "FAILURE"
    ground.failed_at = time.monotonic()
    ground.server.order_faults("")


def test_a_run_of_the_command_line_is_on_the_job_page_and_can_be_executed_again(ground: Ground) -> None:
    told = ground.house.ask("run", "--date", FROM_CLI)
    assert told["run_id"] in ground.ui.runs_on_the_job_page()
    ground.server.reset()
    again = ground.ui.reexecute(told["run_id"])
    assert ground.ui.ended(again) == "SUCCESS"
    assert ground.ui.materialized("daily_summary", FROM_CLI)[FROM_CLI] == again
    assert ground.server.stats()["calls"] == 0, "there was nothing to ask"


def test_terminate_keeps_what_has_arrived_and_the_next_run_goes_on(ground: Ground) -> None:
    ground.server.reset()
    ground.server.order_faults("slow=0.3:30")
    run = ground.ui.launch(TERMINATED)
    parts = ground.house.home / "work" / "parts" / TERMINATED
    ground.ui.wait_for(lambda: [path for path in parts.rglob("*") if path.is_file()])
    began = time.monotonic()
    ground.ui.terminate(run)
    assert ground.ui.ended(run) in {"CANCELED", "FAILURE"}
    assert time.monotonic() - began < 10, "five seconds, and what a loaded machine needs to tell of it"

    unanswered = ground.server.stats()["faults"]["slow"]
    assert 0 < unanswered < ACCOUNTS
    ground.server.order_faults("")
    ground.server.reset()
    assert ground.ui.ended(ground.ui.launch(TERMINATED)) == "SUCCESS"
    assert ground.server.stats()["calls"] == unanswered
    assert len(ground.house.rows(TERMINATED)) == ACCOUNTS


def test_what_failed_was_paged_within_two_minutes(ground: Ground) -> None:
    ground.ui.wait_for(lambda: set(ground.pager.triggers) >= PAGED)
    assert all(ground.pager.first[key] - ground.failed_at < 120 for key in PAGED)
    # A good report of a later date; that the pages end is waited for in the last test.
    assert ground.house.run("run", "--date", HEALTHY).status == 0


def test_schedule_and_sensors_run_without_being_switched_on(ground: Ground) -> None:
    schedules, sensors = ground.ui.automation()
    assert [each["name"] for each in schedules] == [
        "archive_working_data_schedule",
        "forget_old_history_schedule",
        "nightly_esg_report_schedule",
    ]
    assert {each["scheduleState"]["status"] for each in schedules} == {"RUNNING"}
    assert {each["sensorState"]["status"] for each in sensors} == {"RUNNING"}

    def every_sensor_has_ticked() -> bool:
        return all(
            any(tick["status"] != "STARTED" for tick in each["sensorState"]["ticks"])
            for each in ground.ui.automation()[1]
        )

    ground.ui.wait_for(every_sensor_has_ticked)
    for each in ground.ui.automation()[1]:
        for tick in each["sensorState"]["ticks"]:
            assert tick["status"] in {"STARTED", "SKIPPED", "SUCCESS"}, tick["error"]
            assert tick["status"] != "SKIPPED" or tick["skipReason"]


def test_history_survives_a_restart(ground: Ground) -> None:
    told = ground.house.ask("run", "--date", "2026-01-10")
    before = ground.ui.runs_on_the_job_page()
    ground.ui.restart()
    assert told["run_id"] in before
    assert ground.ui.runs_on_the_job_page() == before
    assert ground.ui.materialized("encrypted_report_csv", "2026-01-10") == {"2026-01-10": told["run_id"]}


def test_the_pages_end_with_a_good_report_of_a_later_date(ground: Ground) -> None:
    ground.ui.wait_for(lambda: PAGED.isdisjoint(ground.pager.open))
    assert {key: ground.pager.triggers[key] for key in PAGED} == dict.fromkeys(PAGED, 1)
