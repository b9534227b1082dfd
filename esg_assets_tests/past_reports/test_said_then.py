"""`report list --as-of`: what was said on a day about a date, and that nothing was said where that is so."""

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from esg_assets.adapters.database.history import SqlHistory
from esg_assets.adapters.stores.local import LocalStore
from esg_assets.cli import main as cli
from esg_assets.cli.said_then import moment_of
from esg_assets.core.errors import SettingsWrong
from esg_assets.core.history import ChainHead, RunRecord
from esg_assets.core.publication import Publication
from esg_assets_tests.adapters import records_material
from esg_assets_tests.adapters.records_material import OTHER_CSV, Records, signing_key
from esg_assets_tests.adapters.work_material import DAY

NOON = datetime(2026, 1, 16, 18, 0, tzinfo=UTC)
D = ["--date", DAY.isoformat()]


@dataclass
class Firm:
    """Two versions of a date in the chain, and a history that was told of each as it was published."""

    records: Records
    versions: list[Publication]
    database: Path

    def history(self, *moments: datetime) -> SqlHistory:
        return SqlHistory(f"sqlite:///{self.database}", iter(moments).__next__)


@pytest.fixture
def firm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Firm:
    records = Records(LocalStore(tmp_path / "store"), LocalStore(tmp_path / "work"))
    versions = [records.publish(DAY)]
    monkeypatch.setattr(records_material, "WHEN", records_material.WHEN + timedelta(hours=1))
    versions.append(records.publish(DAY, OTHER_CSV, reason="late data"))
    public = signing_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "signing.pub.pem").write_bytes(public)
    for name in [name for name in os.environ if name.startswith("ESG_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    settings = {"ENV": "test", "STORE_URL": "store", "WORK_URL": "work", "VERIFY_KEYS": "signing.pub.pem"}
    settings["DATABASE_URL"] = f"sqlite:///{tmp_path}/history.sqlite"
    for name, value in settings.items():
        monkeypatch.setenv(f"ESG_{name}", value)
    return Firm(records, versions, tmp_path / "history.sqlite")


def asked(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[str, dict[str, Any]]:
    """What people read, and what `--json` prints."""
    assert cli.run(["report", "list", *arguments]) == 0
    text = capsys.readouterr().out
    assert cli.run(["report", "list", *arguments, "--json"]) == 0
    return text, json.loads(capsys.readouterr().out)


def remembered(firm: Firm) -> SqlHistory:
    """The history as it is when each version was recorded at once."""
    first, second = firm.versions
    history = firm.history(first.recorded_at, second.recorded_at)
    history.record_publication(first.as_published(), {"accounts": 3.0, "overall_score.mean": None})
    history.record_publication(second.as_published(), {"accounts": 3.0, "overall_score.mean": 51.5})
    return history


def test_what_was_said_then_stands_beside_what_is_said_now(
    firm: Firm, capsys: pytest.CaptureFixture[str]
) -> None:
    remembered(firm)
    first, second = firm.versions
    text, data = asked(capsys, *D, "--as-of", first.recorded_at.isoformat())
    assert [each["version"] for each in data["reports"]] == [1]
    assert data["said"]["version"] == 1
    assert data["said"]["figures"] == {"accounts": 3.0, "overall_score.mean": None}
    assert "Version 1 stood, published" in text
    lines = [line.split() for line in text.splitlines()]
    assert ["overall_score.mean", "withheld", "51.5"] in lines
    assert ["accounts", "3", "3"] in lines
    assert "Since then: version 2, published" in text
    assert "late data" in text

    text, data = asked(capsys, *D, "--as-of", second.recorded_at.isoformat())
    assert [each["version"] for each in data["reports"]] == [1, 2]
    assert data["said"]["figures"]["overall_score.mean"] == 51.5
    assert "Version 2 stood" in text
    assert "Since then" not in text
    assert ["overall_score.mean", "51.5"] in [line.split() for line in text.splitlines()]


def test_before_the_first_version_nothing_was_said_and_how_runs_had_ended(
    firm: Firm, capsys: pytest.CaptureFixture[str]
) -> None:
    history = remembered(firm)
    before = firm.versions[0].recorded_at - timedelta(hours=2)
    text, data = asked(capsys, *D, "--as-of", before.isoformat())
    assert (data["reports"], data["said"], data["runs"]) == ([], None, [])
    assert f"Nothing was said: no report of {DAY} was published, and no run of it had ended." in text
    assert "Since then: version 1, published" in text

    blocked = RunRecord("r", DAY, "blocked", before - timedelta(hours=1), before)
    SqlHistory(f"sqlite:///{firm.database}").record_run(blocked)
    text, data = asked(capsys, *D, "--as-of", before.isoformat())
    assert data["runs"] == [{"status": "blocked", "ended_at": before.isoformat()}]
    assert "was published. 1 run of it had ended, the last one blocked at" in text
    assert history.runs_of(DAY) == [blocked]


def test_a_history_that_began_later_says_so_and_does_not_guess(
    firm: Firm, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = firm.versions
    after = second.recorded_at
    text, data = asked_with_empty_history(firm, capsys, after)
    assert "This history does not know that version" in text
    firm.history(datetime.now(UTC) + timedelta(days=3)).record_publication(second.as_published(), {"a": 1})
    text, data = asked(capsys, *D, "--as-of", after.isoformat())
    assert (data["said"], [each["version"] for each in data["reports"]]) == (None, [1, 2])
    assert "this history took that version in later, on " in text
    assert first.version == 1


def asked_with_empty_history(
    firm: Firm, capsys: pytest.CaptureFixture[str], moment: datetime
) -> tuple[str, dict[str, Any]]:
    SqlHistory(f"sqlite:///{firm.database}")
    return asked(capsys, *D, "--as-of", moment.isoformat())


def test_what_a_restore_has_lost_is_told_by_the_history_alone(
    firm: Firm, capsys: pytest.CaptureFixture[str]
) -> None:
    other = DAY + timedelta(days=1)
    lost = firm.versions[0].as_published()
    history = firm.history(NOON, NOON + timedelta(hours=1))
    history.record_publication(
        type(lost)(**{**vars(lost), "report_date": other, "sequence": 9}), {"accounts": 3}
    )
    history.remember_head(ChainHead(3, "3" * 64), restored=True)
    text, data = asked(capsys, "--date", other.isoformat(), "--as-of", NOON.isoformat())
    assert data["said"]["lost"]
    assert "the records store has lost it since, and only the history remembers it" in text
    assert "Nothing was said" in asked(capsys, "--date", other.isoformat(), "--as-of", "2026-01-17")[0]


def test_without_a_date_it_lists_what_was_published_by_then(
    firm: Firm, capsys: pytest.CaptureFixture[str]
) -> None:
    first = firm.versions[0].recorded_at
    assert len(asked(capsys, "--as-of", first.isoformat())[1]["reports"]) == 1
    text, data = asked(capsys, "--as-of", "2026-01-02")
    assert (data["reports"], text) == ([], "No report was published by then.\n")
    assert data["as_of"] == "2026-01-03T05:59:59.999999+00:00"  # the end of that day in Chicago
    assert len(asked(capsys, *D)[1]["reports"]) == 2
    assert asked(capsys, "--date", "2026-01-01")[1] == {"reports": []}


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-15", datetime(2026, 1, 16, 5, 59, 59, 999999, tzinfo=UTC)),
        ("20260115", datetime(2026, 1, 16, 5, 59, 59, 999999, tzinfo=UTC)),
        ("2026-01-16", NOON),  # today: until now
        ("2026-01-16T06:00", datetime(2026, 1, 16, 12, 0, tzinfo=UTC)),
        ("2026-01-16T06:00Z", datetime(2026, 1, 16, 6, 0, tzinfo=UTC)),
        ("2026-01-16T06:00+01:00", datetime(2026, 1, 16, 5, 0, tzinfo=UTC)),
        ("2025-07-01T06:00", datetime(2025, 7, 1, 11, 0, tzinfo=UTC)),
    ],
)
def test_a_moment_is_in_central_time_unless_it_says_otherwise(text: str, moment: datetime) -> None:
    assert moment_of(text, NOON) == moment


@pytest.mark.parametrize(
    "text", ["yesterday", "2026-02-30", "2026-01-17", "2026-01-16T18:01Z", "9999-12-31", "12"]
)
def test_a_moment_that_is_none_or_has_not_come_is_refused(text: str) -> None:
    with pytest.raises(SettingsWrong, match="--as-of"):
        moment_of(text, NOON)


def test_a_moment_that_was_left_empty_is_not_taken_for_now(
    firm: Firm, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["report", "list", "--as-of", ""]) == 2
    assert "--as-of: wanted is YYYY-MM-DD" in capsys.readouterr().err
