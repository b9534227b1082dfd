"""`report account`: what it shows is what the decrypted reports hold, or nothing."""

import datetime as dt
import io
from pathlib import Path

import pytest

from esg_assets.adapters.keys import generate
from esg_assets.core.errors import SettingsWrong
from esg_assets_tests.e2e.sample_book import AWKWARD_IDS
from esg_assets_tests.past_reports.conftest import Shown, Told
from esg_assets_tests.past_reports.damage import expire, flip, report_file
from esg_assets_tests.past_reports.nights import (
    CHANGED,
    FIRST,
    JOINED,
    LEFT,
    SECOND,
    THIRD,
    VERSIONS,
    Nights,
)

SPAN = ["--from", str(FIRST - dt.timedelta(1)), "--to", str(THIRD + dt.timedelta(2))]


class TestAccount:
    @pytest.mark.parametrize(
        "account_id", [" lead", "trail ", "=1+1", "'quoted", 'quote"inside', "a,b", "cafe\u0301", "账" * 64]
    )
    def test_an_id_is_taken_as_it_stands(
        self, told: Told, nights: Nights, key: list[str], account_id: str
    ) -> None:
        assert account_id in AWKWARD_IDS
        span = ["--from", str(THIRD), "--to", str(THIRD)]
        (found,) = told("account", *span, *key, stdin=f"{account_id}\n")["reports"]
        assert found["state"] == "found"
        expected = nights.rows(THIRD, 1)[account_id]
        assert found["row"] == {name: cell for name, cell in expected.items() if name != "account_id"}

    @pytest.mark.parametrize("account_id", [CHANGED, LEFT, JOINED, "A-none"])
    def test_every_version_in_the_span_has_a_row_and_gaps_are_told(
        self, told: Told, nights: Nights, key: list[str], account_id: str
    ) -> None:
        found = told("account", *SPAN, *key, stdin=account_id)

        assert [(each["date"], each["version"]) for each in found["reports"]] == [
            (str(day), version) for day, version in VERSIONS
        ]
        for each, version in zip(found["reports"], VERSIONS, strict=True):
            row = nights.rows(*version).get(account_id)
            assert each["state"] == ("absent" if row is None else "found")
            assert each["row"] == (row and {k: v for k, v in row.items() if k != "account_id"})
        assert found["gaps"] == [
            {"from": str(FIRST - dt.timedelta(1)), "to": str(FIRST - dt.timedelta(1))},
            {"from": str(THIRD + dt.timedelta(1)), "to": str(THIRD + dt.timedelta(2))},
        ]

    def test_changes_are_told_against_the_report_before(self, told: Told, key: list[str]) -> None:
        reports = told("account", *SPAN, *key, stdin=CHANGED)["reports"]
        assert [each["change"] and each["change"]["kinds"] for each in reports] == [
            *(None, ["score"], ["score", "details"], ["score"], ["letter", "coverage", "details"]),
        ]
        assert [each["change"] and each["change"]["overall_esg_score"] for each in reports] == [
            *(None, "-4.50", "+4.50", "-4.50", "0"),
        ]
        assert reports[1]["change"]["since"] == {"date": str(FIRST), "version": 1}
        joined = told("account", *SPAN, *key, stdin=JOINED)["reports"]
        assert joined[-1]["change"]["kinds"] == ["joined"]
        left = told("account", *SPAN, *key, stdin=f"{LEFT}\r\n")["reports"]
        assert left[-1]["change"]["kinds"] == ["left"]

    def test_people_see_a_row_for_each_version_and_each_gap_and_never_the_id(
        self, shown: Shown, key: list[str]
    ) -> None:
        lines = shown("account", *SPAN, *key, stdin=CHANGED)
        assert " ".join(lines[0].split()) == (
            "date version as of status reason overall E S G rating focus coverage rated change"
        )
        assert lines[2].split()[:4] == [str(FIRST), "1", str(FIRST - dt.timedelta(1)), "SUCCESS"]
        assert [line.split()[0] for line in lines[1:-1]] == [
            *("2026-01-14", "2026-01-15", "2026-01-15", "2026-01-16", "2026-01-16", "2026-01-17"),
            "2026-01-18",
        ]
        assert lines[1].split()[1:] == ["no", "report"]
        assert "overall -4.50" in lines[3]
        assert lines[-2].startswith("2026-01-18 to 2026-01-19")
        assert lines[-1] == "In 5 of 5 reports from 2026-01-14 to 2026-01-19."
        assert CHANGED not in "\n".join(lines)

    @pytest.mark.parametrize("given", ["", "\n", "A\nB\n", "A\n\n", "x" * 5000])
    def test_standard_input_is_one_line_and_wrong_ones_are_not_repeated(
        self, told: Told, key: list[str], given: str
    ) -> None:
        refused = told("account", *SPAN, *key, stdin=given, status=2)
        assert "wanted is exactly one line" in refused["error"]
        assert "xx" not in refused["error"]

    @pytest.mark.parametrize(
        "given", [[CHANGED], ["--id", CHANGED], [f"--account={CHANGED}"], [f"--{CHANGED}"]]
    )
    def test_an_id_on_the_command_line_is_refused_with_the_way_to_give_it(
        self, told: Told, shown: Shown, key: list[str], given: list[str]
    ) -> None:
        refused = told("account", *SPAN, *key, *given, status=2)
        assert "reads the account's id from standard input" in refused["error"]
        assert "< FILE" in refused["error"]
        said = "\n".join(shown("account", *SPAN, *key, *given, status=2))
        assert CHANGED not in said + refused["error"]
        said = "\n".join(shown("account", "--from", CHANGED, "--to", str(THIRD), *key, status=2))
        assert "wanted is a date, YYYY-MM-DD" in said
        assert CHANGED not in said

    def test_an_account_that_is_nowhere_is_said_to_be_and_blanks_around_its_id_are_asked_about(
        self, shown: Shown, key: list[str]
    ) -> None:
        lines = shown("account", *SPAN, *key, stdin=f"  {CHANGED}\r\n")
        assert lines[-3].startswith("In 0 of 5 reports")
        assert lines[-1] == "The line that was read begins or ends with a blank: is that part of the id?"
        assert shown("account", *SPAN, *key, stdin=CHANGED.lower())[-1].startswith(
            "The id counts as it stands"
        )
        span = ["--from", "2025-01-01", "--to", "2025-01-03"]
        assert shown("account", *span, *key, stdin=CHANGED) == [
            "No report from 2025-01-01 to 2025-01-03 is published. `esg-assets report list` shows which are."
        ]

    def test_bytes_that_are_no_utf_8_are_refused(
        self, told: Told, key: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from esg_assets.cli import report_account  # noqa: PLC0415 - beside its use

        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\xe9t\xe9\n"), encoding="latin-1"))
        with pytest.raises(SettingsWrong, match="UTF-8"):
            report_account._account_id()
        monkeypatch.setattr(
            "sys.stdin", io.TextIOWrapper(io.BytesIO("café\r\n".encode()), encoding="latin-1")
        )
        assert report_account._account_id() == "café", "the locale does not matter"
        marked = io.BytesIO(b"\xef\xbb\xbf" + b"x" * 4_096 + b"\r\n")
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(marked))
        assert report_account._account_id() == "x" * 4_096, "nor does the mark of an editor"

    def test_what_expired_and_what_does_not_verify_is_said_and_not_shown(
        self, told: Told, shown: Shown, home: Path, key: list[str]
    ) -> None:
        expire(home, FIRST)
        flip(report_file(home, SECOND, 1))
        report_file(home, SECOND, 2).unlink()

        reports = told("account", *SPAN, *key, stdin=CHANGED, status=1)["reports"]

        assert [each["state"] for each in reports] == [
            *("expired", "expired", "does_not_verify", "missing", "found")
        ]
        assert [each["row"] is None for each in reports] == [True] * 4 + [False]
        assert reports[0]["entry"] < reports[1]["entry"]
        lines = shown("account", *SPAN, *key, stdin=CHANGED, status=1)
        assert f"expired (entry {reports[0]['entry']})" in lines[2]
        assert "does not verify" in lines[4]
        assert "nothing is shown: 2 of these" in lines[-1]

    def test_a_key_of_nobody_and_a_span_that_is_none_are_refused(
        self, told: Told, key: list[str], tmp_path: Path
    ) -> None:
        stranger = str(generate(tmp_path / "other", "recipient")[0])
        refused = told("account", *SPAN, "--key", stranger, stdin=CHANGED, status=1)
        assert "is none of its recipients" in refused["error"]
        backwards = ["--from", str(THIRD), "--to", str(FIRST)]
        assert "is after --to" in told("account", *backwards, *key, stdin="A", status=2)["error"]
        empty = told("account", "--from", "2025-01-01", "--to", "2025-01-03", *key, stdin="A")
        assert (empty["reports"], len(empty["gaps"])) == ([], 1)
