"""One flipped bit in the work store: the run stops and says what to do, and doing it brings the report."""

import re
import shutil
from pathlib import Path

import pytest

from esg_assets_tests.pipeline.house import DAY, House


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def _do_what_it_says(house: House, failure: str) -> None:
    folders = re.findall(r"((?:snapshots|parts|handles)/[\w/-]+?)/ ", failure)
    assert folders, failure
    for folder in folders:
        shutil.rmtree(house.home / "work" / folder)


@pytest.mark.parametrize("kind", ["parts", "snapshots", "handles/ratings"])
def test_damaged_working_data_is_named_and_doing_what_is_said_goes_on(house: House, kind: str) -> None:
    first = house.run(only=["active_accounts", "esg_ratings"])
    assert first.success
    damaged = next(path for path in sorted((house.home / "work" / kind).rglob("*")) if path.is_file())
    _flip(damaged)

    stopped = house.run()
    assert stopped.run.tags["esg/error"] == "Tampered"
    assert str(damaged.relative_to(house.home / "work")) in stopped.failure
    assert house.published() is None

    _do_what_it_says(house, stopped.failure)
    house.answers()
    assert house.run().success
    assert bool(house.asked) == (kind != "handles/ratings")  # a handle holds counts, not ratings
    assert len(house.report()) == len(house.source.rows)


def test_damage_after_publication_stops_the_next_run_and_the_same_report_is_found_again(house: House) -> None:
    assert house.run().success
    published = house.published()
    _flip(next((house.home / "work" / "parts" / DAY.isoformat()).rglob("0000*1")))
    stopped = house.run()
    assert not stopped.success
    assert house.published() == published

    _do_what_it_says(house, stopped.failure)
    house.answers()
    assert house.run().success
    assert house.published() == published
