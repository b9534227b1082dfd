"""`report diff`: what it lists is what a comparison of the decrypted reports gives, or nothing."""

import datetime as dt
from itertools import pairwise
from pathlib import Path

import pytest

from esg_assets.adapters.keys import generate
from esg_assets.core.row_changes import TOLD
from esg_assets.core.summary import summary_chunks
from esg_assets_tests.past_reports.conftest import Shown, Told
from esg_assets_tests.past_reports.damage import expire, flip, report_file
from esg_assets_tests.past_reports.nights import (
    CHANGED,
    FIRST,
    JOINED,
    SECOND,
    THIRD,
    VERSIONS,
    Nights,
    lifecycle,
)
from esg_assets_tests.past_reports.test_account import SPAN

DETAILS = ("account_name", "account_type", "base_currency", "primary_esg_focus", "rating_as_of", "waci")

Version = tuple[dt.date, int]


class TestDiff:
    @pytest.mark.parametrize(
        ("before", "now"),
        [((FIRST, 1), (FIRST, 2)), ((SECOND, 1), (THIRD, 1)), ((THIRD, 1), (FIRST, 1))],
    )
    def test_it_lists_what_a_comparison_of_the_decrypted_reports_gives(
        self, told: Told, nights: Nights, key: list[str], before: Version, now: Version
    ) -> None:
        found = told("diff", *(f"{day}@{version}" for day, version in (before, now)), *key)

        old, new = nights.rows(*before), nights.rows(*now)
        changed = {}
        for account in sorted(old.keys() | new.keys()):
            rows = [book.get(account) for book in (old, new)]
            sides = [row and {name: row[name] for name in TOLD} for row in rows]
            if None in sides or any(not _same(*(side[name] for side in sides if side)) for name in TOLD):
                changed[account] = sides
        assert {each["account_id"]: [each["before"], each["now"]] for each in found["changes"]} == changed
        assert list(changed) == [each["account_id"] for each in found["changes"]]
        assert found["changed"] == len(changed) > 0
        assert (found["before"]["rows"], found["now"]["rows"]) == (len(old), len(new))
        assert found["kinds"]["joined"] == len(new.keys() - old.keys())
        assert found["kinds"]["left"] == len(old.keys() - new.keys())
        details = {
            account
            for account in (old.keys() & new.keys()) - changed.keys()
            if any(old[account].get(name, "") != new[account].get(name, "") for name in DETAILS)
        }
        assert found["only_details"] == len(details)

    def test_the_changes_of_an_account_are_those_of_its_history(self, told: Told, key: list[str]) -> None:
        def named(report: Version) -> str:
            return f"{report[0]}@{report[1]}"

        pairs = [
            told("diff", named(before), named(now), *key)["changes"] for before, now in pairwise(VERSIONS)
        ]
        for account_id in (CHANGED, JOINED):
            _, *steps = told("account", *SPAN, *key, stdin=account_id)["reports"]
            for step, changes in zip(steps, pairs, strict=True):
                kinds = [each["kinds"] for each in changes if each["account_id"] == account_id]
                own = step["change"]["kinds"]
                assert kinds == ([] if own in ([], ["details"]) else [own])

    def test_people_see_the_counts_first_and_then_a_row_for_each(self, shown: Shown, key: list[str]) -> None:
        accounts = f"(38 accounts as of {FIRST - dt.timedelta(1)})"
        assert shown("diff", f"{FIRST}@1", str(FIRST), *key) == [
            f"From {FIRST} version 1 {accounts} to {FIRST} version 2 {accounts}.",
            "Accounts that changed: 1 (score 1).",
            "account_id  why    what changed",
            "A-changed   score  overall 52.50 → 48.00",
        ]
        assert shown("diff", str(FIRST), str(FIRST), *key)[1:] == ["No account changed."]
        ended = shown("diff", str(SECOND), str(THIRD), *key)
        assert f"Columns that only {SECOND} version 2 has: waci." in ended, "its metric is asked for no more"

    def test_another_version_of_the_providers_methodology_is_told(
        self, told: Told, shown: Shown, home: Path, key: list[str]
    ) -> None:
        stores = lifecycle()
        for day, version in ((SECOND, "2.0"), (THIRD, "2.1")):
            document = {"figures": {"methodology_versions": {version: 35}}}
            stores.publications.publish_summary(stores.published.version(day), summary_chunks(document, []))

        found = told("diff", str(SECOND), str(THIRD), *key)
        assert found["methodology_versions"] == {"before": {"2.0": 35}, "now": {"2.1": 35}}
        (line,) = [each for each in shown("diff", str(SECOND), str(THIRD), *key) if "methodology" in each]
        assert "has another version: 2.0 (35) → 2.1 (35)" in line
        same = shown("diff", str(THIRD), str(THIRD), *key)
        assert not any("methodology" in each for each in same)
        assert told("diff", str(FIRST), str(THIRD), *key)["methodology_versions"]["before"] is None

    def test_nothing_is_shown_of_a_report_that_does_not_verify(
        self, told: Told, home: Path, key: list[str]
    ) -> None:
        flip(report_file(home, THIRD, 1))
        refused = told("diff", str(FIRST), str(THIRD), *key, status=1)
        assert (set(refused), refused["kind"]) == ({"error", "kind"}, "Tampered")

    @pytest.mark.parametrize("given", ["A-changed", "2026-13-01", "2026-01-15@0", "2026-01-15@", "20260115"])
    def test_what_names_no_report_is_refused_and_not_repeated(
        self, told: Told, key: list[str], given: str
    ) -> None:
        refused = told("diff", given, str(FIRST), *key, status=2)
        assert refused["error"].startswith("D1 and D2 name reports")
        assert given not in refused["error"]

    def test_reports_that_are_not_there_are_refused(
        self, told: Told, home: Path, key: list[str], tmp_path: Path
    ) -> None:
        assert "no version 3" in told("diff", f"{FIRST}@3", str(FIRST), *key, status=1)["error"]
        stranger = str(generate(tmp_path / "other", "recipient")[0])
        refused = told("diff", str(FIRST), str(THIRD), "--key", stranger, status=1)
        assert "none of its recipients" in refused["error"]
        expire(home, FIRST)
        assert "it expired; entry" in told("diff", str(FIRST), str(THIRD), *key, status=1)["error"]


def _same(before: str, now: str) -> bool:
    try:
        return float(before) == float(now)
    except ValueError:
        return before == now
