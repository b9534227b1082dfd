"""Three dates as the pipeline left them, to be made again, followed and compared.

FIRST   calls for several accounts; two versions: a correction with other scores
SECOND  one account a call; two versions: a refresh in which all but one were unchanged (304)
THIRD   a provider by ESG_API_MAPPING; an account left, one joined, market values changed
"""

import csv
import datetime as dt
import io
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from esg_assets.core.ratings import Fault, Metric, Reply
from esg_assets.lifecycle import LifecycleStores
from esg_assets.settings.values import YamlSetting
from esg_assets_tests.adapters.provider_mappings import SMALL
from esg_assets_tests.e2e.sample_book import AWKWARD_IDS
from esg_assets_tests.fake_history import MemoryHistory
from esg_assets_tests.fakes import FakeAccountSource, rating_reply
from esg_assets_tests.pipeline.house import ASSETS, DAY, House, account, house_on_disk

FIRST, SECOND, THIRD = DAY, DAY + dt.timedelta(1), DAY + dt.timedelta(2)
VERSIONS = ((FIRST, 1), (FIRST, 2), (SECOND, 1), (SECOND, 2), (THIRD, 1))
WACI = Metric("waci", "tCO2e/MUSD", "lower")
LEFT, JOINED, CHANGED = "A-left", "A-joined", "A-changed"
_UNRATED, _REFUSED, _DOWN, _NO_CALL = "100%", "a/b", "A-down", "."
_IDS = [*AWKWARD_IDS, CHANGED, _DOWN, _NO_CALL]
_DAY_BEFORE = dt.timedelta(1)
_ASSETS = ASSETS[:3]  # a summary is not needed
_WHY = {"esg/reason": "the provider corrected a score", "esg/requested_by": "somebody"}


@dataclass(frozen=True)
class Nights:
    """What was left on the disk.

    Attributes:
        home: DAGSTER_HOME, with `store`, `work` and `keys`.
        reports: the CSV of each version.
    """

    home: Path
    reports: Mapping[tuple[dt.date, int], bytes]

    def rows(self, day: dt.date, version: int) -> dict[str, dict[str, str]]:
        """Rows by account id as the csv module reads them, without the guard of texts."""
        texts = ("account_id", "account_name", "account_type", "base_currency")
        found = csv.DictReader(io.StringIO(self.reports[day, version].decode(), newline=""))
        rows = [{k: v.removeprefix("'") if k in texts else v for k, v in row.items()} for row in found]
        return {row["account_id"]: row for row in rows}


def build(folder: Path) -> Nights:
    """Run the pipeline for the three dates."""
    with house_on_disk(folder) as house:
        house.source = FakeAccountSource(past={day - _DAY_BEFORE: _accounts(day) for day, _ in VERSIONS})
        _several_accounts_a_call(house)
        _unchanged_answers(house)
        _another_provider(house)
        reports = {}
        for each in house.stores.published.list():
            with house.stores.published.open_report(each, house.opener()) as source:
                reports[each.date, each.version] = source.read()
        assert tuple(sorted(reports)) == VERSIONS
        return Nights(house.home, reports)


def environment(nights: Nights, home: Path) -> dict[str, str]:
    """Settings of a copy of the stores in `home`, with the keys where they were made."""
    home.mkdir(mode=0o700)
    for name in ("store", "work"):
        shutil.copytree(nights.home / name, home / name)
    keys = nights.home / "keys"
    return {
        "DAGSTER_HOME": str(home),
        "ESG_ENV": "dev",
        "ESG_WORKING_KEY": f"{keys}/demo-working.key",
        "ESG_SIGNING_KEY": f"{keys}/demo-signing.pem",
        "ESG_REPORT_RECIPIENTS": f"{keys}/demo-recipient.pub.pem",
    }


def lifecycle(**changes: object) -> LifecycleStores:
    """What archives and removes, over the settings of the environment; the history is an empty one."""
    from esg_assets.settings import load_settings  # noqa: PLC0415 - of the environment of the moment

    return LifecycleStores(load_settings("").model_copy(update=changes), MemoryHistory())


def end_window(day: dt.date) -> None:
    """Archive the date's working data now."""
    lifecycle(working_days=0).window.close(day)


def _accounts(day: dt.date) -> list[dict[str, object]]:
    names = {CHANGED: '=cmd|" /C calc"!A0', "a b": "Müller, \u2028 & Søn"}
    ids = [*_IDS, JOINED] if day == THIRD else [*_IDS, LEFT]
    values = {each: f"{1_000 + number}.50" for number, each in enumerate(ids)}
    if day == THIRD:
        values["0001"] = "7.25"
    return [
        account(0, account_id=each, account_name=names.get(each, "client"), market_value=value)
        for each, value in values.items()
    ]


def _rating(account_id: str, as_of: dt.date, score: str) -> Reply:
    sent = rating_reply(
        account_id, as_of, overall_score="<>", rating="BBB", coverage_pct=82.2, metrics={"waci": 389.60}
    )
    return replace(sent, body=sent.body.replace(b'"<>"', score.encode()))


def _script() -> dict[str, list[Reply | Exception]]:
    return {_UNRATED: [Reply(404)], _REFUSED: [Reply(422)], _DOWN: [Reply(503)]}


def _several_accounts_a_call(house: House) -> None:
    for refresh, score in (("failed", "52.50"), ("all", "48.00")):
        script = _script() | {CHANGED: [_rating(CHANGED, FIRST - _DAY_BEFORE, score)]}
        house.answers(
            script, otherwise=lambda each, as_of: _rating(each, as_of, "52.50"), accounts_per_call=7
        )
        tags = {} if refresh == "failed" else _WHY
        config = {"esg_ratings": {"refresh": refresh}}
        assert house.run(FIRST, only=_ASSETS, metrics=(WACI,), config=config, tags=tags).success


def _unchanged_answers(house: House) -> None:
    def named(each: str, as_of: dt.date) -> Reply:
        return replace(_rating(each, as_of, "52.50"), headers={"etag": f'"{len(each)}"'})

    refused: dict[str, list[Reply | Exception]] = {_NO_CALL: [Reply(None, fault=Fault.LOCAL_REFUSAL)]}
    house.answers(_script() | refused, otherwise=named)
    assert house.run(SECOND, only=_ASSETS, metrics=(WACI,)).success
    changed: dict[str, list[Reply | Exception]] = {CHANGED: [_rating(CHANGED, SECOND - _DAY_BEFORE, "48.00")]}
    house.answers(_script() | refused | changed, otherwise=lambda _each, _as_of: Reply(304))
    assert house.run(
        SECOND, only=_ASSETS, metrics=(WACI,), config={"esg_ratings": {"refresh": "all"}}
    ).success


def _another_provider(house: House) -> None:
    def theirs(each: str, as_of: dt.date) -> Reply:
        entry = {"id": each, "day": as_of.isoformat(), "all": 48, "e": 50, "s": 60.25, "g": 40}
        return Reply(200, json.dumps({"data": [entry]}).encode())

    house.answers(_script(), otherwise=theirs)
    assert house.run(THIRD, only=_ASSETS, metrics=(), api_mapping=YamlSetting(SMALL)).success
