"""Fifty seeded kills and ten terminations of a run, in full; e2e/test_kill.py has a few of them."""

import random
import signal
import time
from collections.abc import Iterator

import pytest

from esg_assets_tests.e2e import kills
from esg_assets_tests.e2e.installation import DAY

pytestmark = pytest.mark.proof

SEED = 20260115


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[kills.Ground]:
    with kills.undisturbed(tmp_path_factory.mktemp("kills")) as ground:
        yield ground


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201  # the numbers are its purpose


def _points() -> list[kills.Point]:
    """Anywhere, inside the writes of parts, and inside publication."""
    dice = random.Random(SEED)
    return [
        *(kills.after_start(dice.uniform(0.2, 7.0)) for _ in range(8)),
        *(kills.after_seconds(dice.uniform(0.0, 4.0)) for _ in range(16)),
        *(kills.with_parts(dice.randint(1, 3)) for _ in range(6)),
        *(kills.writing_part(dice.randint(1, 3)) for _ in range(8)),
        *(kills.writing_report() for _ in range(3)),
        *(kills.with_objects("reports", 1, "one of report and salt stands") for _ in range(2)),
        *(kills.with_objects("reports", 2, "report and salt stand") for _ in range(2)),
        *(kills.writing_entry() for _ in range(3)),
        *(kills.with_objects("chain", 1, "the report is published") for _ in range(2)),
    ]


def test_after_each_of_fifty_kills_the_next_run_makes_good(ground: kills.Ground) -> None:
    points = _points()
    assert len(points) == 50
    done = []
    for point in points:
        done.append(kills.assert_killed_and_made_good(point, ground))
        _say(done[-1].row)
    met = sum(killed.met for killed in done)
    _say(
        f"{met} of {len(done)} kills met a run that lived; of {kills.ACCOUNTS} accounts at {kills.RATE}/s "
        f"{max(killed.repeated for killed in done)} calls were repeated at most, "
        f"{sum(killed.repeated for killed in done) / len(done):.0f} on average"
    )
    assert met >= len(done) * 0.8


def test_after_each_of_ten_terminations_nothing_that_was_answered_is_asked_again(
    ground: kills.Ground,
) -> None:
    dice = random.Random(SEED)
    for _ in range(10):
        house = ground.house()
        ground.server.reset()
        point = kills.after_seconds(dice.uniform(0.0, 3.0))
        with kills.stopped_at(point, house, ground.server, signal.SIGTERM) as (process, at, _met):
            done = process.end()
            seconds = time.monotonic() - at
        _say(f"{point.name}: ended with {done.status} after {seconds:.2f} s")
        assert seconds < 5
        assert done.status in {0, 1}
        assert "Traceback" not in done.out + done.err
        assert house.run("run", "--date", DAY).status == 0
        assert house.report() == ground.undisturbed
        assert ground.server.stats()["answered_again"] == 0
