"""A run that is killed or terminated in the middle, and the run after it: nothing lost, nothing stuck.

A sample; proof/test_kills_in_full.py has fifty moments.
"""

import random
import signal
import time
from collections.abc import Iterator

import pytest

from esg_assets_tests.e2e import kills
from esg_assets_tests.e2e.installation import DAY

SEED = 20260115

SAMPLE = [
    kills.after_seconds(random.Random(SEED).uniform(0.3, 2.5)),
    kills.writing_part(2),
    kills.writing_entry(),
]
"""One moment of each sort."""

TRIES = 6


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[kills.Ground]:
    with kills.undisturbed(tmp_path_factory.mktemp("kills")) as ground:
        yield ground


@pytest.mark.parametrize("point", SAMPLE, ids=lambda point: str(point.name))
def test_a_run_after_a_kill_publishes_what_an_undisturbed_one_would(
    ground: kills.Ground, point: kills.Point
) -> None:
    # A write lasts for milliseconds, and who looks from outside can miss it: then another run is killed.
    for _ in range(TRIES):
        killed = kills.assert_killed_and_made_good(point, ground)
        print(killed.row)  # noqa: T201  # its purpose
        if killed.met:
            return
    pytest.fail(f"the moment was missed in {TRIES} runs")


def test_a_terminated_run_keeps_everything_and_ends_within_5_seconds(ground: kills.Ground) -> None:
    house = ground.house()
    ground.server.reset()
    moment = kills.after_seconds(1.6)
    with kills.stopped_at(moment, house, ground.server, signal.SIGTERM) as (process, at, met):
        done = process.end()
        seconds = time.monotonic() - at
    assert met
    assert seconds < 5
    assert done.status == 1
    assert "Traceback" not in done.out + done.err
    assert done.out.count("The run was interrupted from outside.") == 1
    assert house.ask("run", "--date", DAY)["status"] == "published"
    assert house.report() == ground.undisturbed
    assert ground.server.stats()["answered_again"] == 0, "what was answered is not asked again"


def test_an_interrupted_backfill_does_not_go_on_to_the_next_date(ground: kills.Ground) -> None:
    house = ground.house()
    ground.server.reset()
    with house.started("backfill", "2026-01-13", "2026-01-15") as process:
        while not ground.server.stats()["calls"] and process.process.poll() is None:
            time.sleep(0.05)
        process.send(signal.SIGTERM)
        done = process.end()
    assert done.status == 1
    assert "0 of 3 dates stand" in done.out
    assert ground.server.stats()["pages"] == 1, "the accounts of one date were asked for"


def test_of_two_runs_of_one_date_at_once_one_refuses_and_makes_no_call(ground: kills.Ground) -> None:
    house = ground.house()
    ground.server.reset()
    ground.server.order_faults("")
    with house.started("run", "--date", DAY) as one, house.started("run", "--date", DAY) as other:
        done = [process.end() for process in (one, other)]
    ground.server.order_faults(kills.FAULTS)
    (refused,) = [each for each in done if each.status == 1]
    assert sorted(each.status for each in done) == [0, 1]
    assert f"Another run is making the report of {DAY}" in refused.out
    assert "Traceback" not in refused.out + refused.err
    assert ground.server.stats()["repeated_calls"] == 0
