"""Losing the host gives away its working window, exactly: shown with everything that is on it."""

import datetime as dt
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from esg_assets.adapters.envelope import PrivateKeyEnvelope
from esg_assets.adapters.keys import load_private_key
from esg_assets.adapters.publications import Publications, WorkingWindow
from esg_assets.core.ratings import Reply
from esg_assets.lifecycle import LifecycleStores
from esg_assets_tests.fakes import FakeRatingsApi, rating_reply
from esg_assets_tests.pipeline.house import House, account, house_on_disk
from esg_assets_tests.stolen_host import ids_in

DAYS = [dt.date(2026, 1, 15) + dt.timedelta(days=12 * n) for n in range(5)]
NOW = dt.datetime.combine(DAYS[-1] + dt.timedelta(days=1), dt.time(4), dt.UTC)
ID = re.compile(r"ACC-20\d{6}-\d\d")
ROWS = 12


def account_id(day: dt.date, number: int) -> str:
    return f"ACC-{day:%Y%m%d}-{number:02d}"


def morning(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(11), dt.UTC)


class StoresAt(LifecycleStores):
    """The stores of a house as they are used at a moment of the test's choice."""

    moment = NOW

    def publishing(self, moment: dt.datetime) -> Publications:
        chain = self._chain(self._signer)
        return Publications(
            self._records, self._recipients, self._handles, chain, self.snapshots, now=lambda: moment
        )

    def closing(self, moment: dt.datetime) -> WorkingWindow:
        chain, days = self._chain(self._signer), self._settings.working_days
        return WorkingWindow(
            *(self._records, self._recipients, self.kept, self._handles, chain),
            working_days=days,
            now=lambda: moment,
        )


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """On the disk, with a real database, and the recipient's private key where it belongs: elsewhere."""
    with house_on_disk(tmp_path) as house:
        shutil.move(house.home / "keys" / "demo-recipient.pem", tmp_path / "recipient.pem")
        house.overrides["history"] = None
        house.source.past = {
            day - dt.timedelta(days=1): [account(n, account_id=account_id(day, n)) for n in range(ROWS)]
            for day in DAYS
        }
        yield house


def run(house: House, day: dt.date, at: dt.datetime, reason: str = "", **config: object) -> None:
    house.overrides["publications"] = StoresAt(house.settings).publishing(at)
    tags = {"esg/reason": reason, "esg/requested_by": "somebody"} if reason else {}
    ran = house.run(day, config={"esg_ratings": dict(config)} if config else None, tags=tags)
    assert ran.success, ran.failure


def close_all(house: House, now: dt.datetime = NOW) -> None:
    window = StoresAt(house.settings).closing(now)
    for date in window.dates():
        window.close(date)


def dates_of(found: set[str]) -> list[dt.date]:
    return sorted({dt.date.fromisoformat(f"{i[4:8]}-{i[8:10]}-{i[10:12]}") for i in found})


def test_a_stolen_host_opens_its_working_window_and_no_more(house: House, tmp_path: Path) -> None:
    for day in DAYS:
        run(house, day, morning(day))
    # Before anything was archived a thief has all of it: the search finds what is there.
    assert dates_of(ids_in(house.home, ID)) == DAYS
    close_all(house)
    window = [day for day in DAYS if morning(day) + dt.timedelta(days=35) > NOW]
    assert window == DAYS[-3:]
    stolen = ids_in(house.home, ID)
    assert dates_of(stolen) == window
    assert stolen == {account_id(day, number) for day in window for number in range(ROWS)}
    # The recipients have everything still.
    key = PrivateKeyEnvelope(load_private_key(tmp_path / "recipient.pem"))
    reports = house.stores.published
    for publication in reports.list():
        with reports.open_report(publication, key) as source:
            assert ID.findall(source.read().decode())[0] == account_id(publication.date, 0)
    archived = [each.date for each in reports.list() if each.archived]
    assert archived == DAYS[:-3]
    assert house.stores.published.verify().ok


def test_a_correction_opens_its_own_date_for_a_window_and_no_other(house: House) -> None:
    for day in DAYS:
        run(house, day, morning(day))
    close_all(house)
    first = DAYS[0]
    house.api = FakeRatingsApi(
        {account_id(first, 1): [rating_reply(account_id(first, 1), first, overall_score=70)]},
        policy=house.api.policy,
    )
    run(house, first, NOW, reason="the provider corrected a score")
    assert dates_of(ids_in(house.home, ID)) == [first, *DAYS[-3:]]
    close_all(house, NOW + dt.timedelta(days=35))
    assert dates_of(ids_in(house.home, ID)) == []


def test_what_was_never_published_leaves_the_host_too(house: House) -> None:
    first = DAYS[0]
    house.api = FakeRatingsApi(otherwise=lambda _id, _as_of: Reply(404), policy=house.api.policy)
    assert not house.run(first).success
    assert dates_of(ids_in(house.home, ID)) == [first]
    close_all(house, NOW)
    assert dates_of(ids_in(house.home, ID)) == [first]
    close_all(house, NOW + dt.timedelta(days=35))
    assert ids_in(house.home, ID) == set()
