"""`keys rotate` over a real house: everything re-sealed, the old key gone, never beside a run."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from esg_assets.adapters.keys import former_key_files
from esg_assets.adapters.working_data import Rekeying
from esg_assets.core.errors import LeaseBusy, Refused, Tampered
from esg_assets.key_rotation import Rotation, rotate
from esg_assets.lifecycle import LifecycleStores
from esg_assets.run_lease import KEY_GATE
from esg_assets.stale_runs import lease_name
from esg_assets.working_window import ARCHIVE, close_windows
from esg_assets_tests.adapters.records_material import Killed
from esg_assets_tests.fakes import FakeRatingsApi
from esg_assets_tests.pipeline.house import DAY, NEXT, House, accounts

if TYPE_CHECKING:
    import dagster as dg

pytestmark = pytest.mark.usefixtures("instance_of_commands")


def key_file(house: House) -> Path:
    assert house.settings.working_key is not None
    assert house.settings.working_key.path is not None
    return house.settings.working_key.path


def rotated(house: House) -> Rotation:
    return rotate(house.settings, house.leases)


def outdated(house: House) -> list[str]:
    rekeying = LifecycleStores(house.settings).rekeying
    return [name for date in rekeying.dates() for name in rekeying.outdated(date)]


def two_days(house: House) -> None:
    house.source.past = {DAY.replace(day=14): accounts(12), DAY: accounts(12)}
    house.run(DAY)
    house.run(NEXT)


def test_everything_is_sealed_with_a_new_key_and_the_old_one_is_gone(house: House) -> None:
    two_days(house)
    old = key_file(house).read_bytes()
    before = house.snapshot(DAY)
    done = rotated(house)
    assert (done.made, sorted(done.resealed), sum(done.resealed.values())) == (
        True,
        [DAY, NEXT],
        done.objects,
    )
    assert done.objects > 7
    assert key_file(house).read_bytes() != old
    assert former_key_files(key_file(house)) == []
    assert [path.name for path in key_file(house).parent.iterdir() if path.read_bytes() == old] == []
    after = house.snapshot(DAY)
    assert before is not None
    assert after is not None
    assert (after.commitment, after.accounts) == (before.commitment, before.accounts)
    # The host still knows the same content, and goes on with what is kept.
    house.api = FakeRatingsApi(policy=house.api.policy)
    assert house.run(DAY).metadata("encrypted_report_csv")["published"] == "before, with the same content"
    assert house.asked == []
    assert house.entries() == 4


def test_an_interrupted_rotation_is_finished_by_the_next(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_days(house)
    old = key_file(house).read_bytes()

    left = 0

    def reseal(self: Rekeying, name: str) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise Killed
        whole(self, name)

    whole = Rekeying.reseal
    for steps in (0, 3, 1):
        left = steps
        with monkeypatch.context() as patch:
            patch.setattr(Rekeying, "reseal", reseal)
            with pytest.raises(Killed):
                rotated(house)
        # A run in between opens what the old key sealed and what the new one did.
        assert house.run(DAY).success
        assert len(former_key_files(key_file(house))) == 1
    assert outdated(house)
    done = rotated(house)
    assert not done.made
    assert sum(done.resealed.values()) < done.objects
    assert outdated(house) == []
    assert former_key_files(key_file(house)) == []
    assert key_file(house).read_bytes() != old
    assert house.run(NEXT).success


def test_killed_before_the_new_key_was_in_place_it_is_made_by_the_next(house: House) -> None:
    two_days(house)
    key = key_file(house)
    old = key.read_bytes()
    former = key.with_name(f"{key.name}.1")
    former.touch(mode=0o600)
    former.write_bytes(old)
    done = rotated(house)
    assert done.made
    assert key.read_bytes() != old
    assert former_key_files(key) == []
    assert house.run(DAY).success


def test_while_a_run_is_under_way_nothing_is_changed(house: House) -> None:
    two_days(house)
    old = key_file(house).read_bytes()
    run = house.instance.create_run_for_job(house.defs().resolve_job_def(ARCHIVE))
    with pytest.raises(Refused, match=rf"1 runs are under way \({run.run_id[:8]} of {ARCHIVE}\)"):
        rotated(house)
    house.instance.report_run_failed(run)
    with house.leases.hold(lease_name(NEXT), "somebody"), pytest.raises(Refused, match="held by somebody"):
        rotated(house)
    assert rotated(house).objects
    assert key_file(house).read_bytes() != old


def test_a_run_that_begins_meanwhile_keeps_the_old_key(house: House) -> None:
    two_days(house)

    created: list[dg.DagsterRun] = []

    def told(date: object, count: int) -> None:
        if not created:
            created.append(house.instance.create_run_for_job(house.defs().resolve_job_def(ARCHIVE)))

    with pytest.raises(Refused, match="Everything is sealed with the new key, and the old one is kept"):
        rotate(house.settings, house.leases, told)
    assert len(former_key_files(key_file(house))) == 1
    house.instance.report_run_failed(created[0])
    assert not rotated(house).made
    assert former_key_files(key_file(house)) == []


def test_runs_and_archiving_wait_for_the_rotation(house: House) -> None:
    two_days(house)
    with house.leases.hold(KEY_GATE, "esg-assets keys rotate"):
        ran = house.run(DAY)
        assert "a new working key is being made" in ran.failure
        with pytest.raises(Refused, match="another rotation"):
            rotated(house)
    assert house.run(DAY).success
    window = LifecycleStores(house.settings).window
    with house.leases.hold(ARCHIVE, "esg-assets keys rotate"), pytest.raises(LeaseBusy):
        list(close_windows(window, house.leases, "test", [DAY]))


def test_what_does_not_open_keeps_the_former_key(house: House) -> None:
    two_days(house)
    part = next((house.home / "work" / "parts" / str(DAY)).rglob("0000*1"))
    whole = part.read_bytes()
    part.write_bytes(whole[:-1])
    with pytest.raises(Tampered):
        rotated(house)
    assert len(former_key_files(key_file(house))) == 1
    part.write_bytes(whole)
    assert not rotated(house).made
    assert outdated(house) == []
