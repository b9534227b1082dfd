"""`report reproduce`: every report is made again from raw answers, and what is no longer the same shows."""

import datetime as dt
import os
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import pytest

import esg_assets
from esg_assets.adapters.keys import generate
from esg_assets.adapters.publications import Expiry
from esg_assets.adapters.stores.local import LocalStore
from esg_assets.adapters.working_data import part_in
from esg_assets.cli import main as cli
from esg_assets.core import outcomes
from esg_assets.core.errors import SettingsWrong
from esg_assets_tests.past_reports.conftest import Shown, Told
from esg_assets_tests.past_reports.nights import (
    CHANGED,
    FIRST,
    SECOND,
    THIRD,
    VERSIONS,
    Nights,
    end_window,
    lifecycle,
)

FIRST_V1 = ["--date", str(FIRST), "--version", "1"]


def of(day: dt.date, version: int) -> list[str]:
    return ["--date", str(day), "--version", str(version)]


def require_equal(found: dict[str, Any], nights: Nights, day: dt.date, version: int) -> None:
    """It was made again and is equal, and counts what the report's own rows say."""
    statuses = [row["processing_status"] for row in nights.rows(day, version).values()]
    assert found["equal"] is found["commitment_equal"] is True
    assert (found["date"], found["version"]) == (str(day), version)
    assert found["rows"] == len(statuses) == found["judged_again"] + found["as_kept"]
    assert found["judged_again"] == statuses.count("SUCCESS")
    assert found["counts"] == {s: statuses.count(s) for s in ("SUCCESS", "NOT_RATED", "FAILED")}
    assert found["answers_that_differ"] == {"rows": 0}
    assert found["rows_that_differ"] is None


def test_within_the_window_the_host_makes_every_version_again(told: Told, nights: Nights) -> None:
    for day, version in VERSIONS:
        found = told("reproduce", *of(day, version))
        require_equal(found, nights, day, version)
        assert (found["from"], found["parts_sealed_anew"]) == ("work", 0)
    assert told("reproduce", "--date", str(FIRST))["version"] == 2, "the newest, if none is named"


def test_after_the_window_a_recipient_makes_every_version_again(
    told: Told, nights: Nights, key: list[str], monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    for day in (FIRST, SECOND, THIRD):
        end_window(day)
    refused = told("reproduce", *FIRST_V1, status=1)
    assert "no longer open to this host" in refused["error"]

    # A reader elsewhere has the records, a private key and a public one.
    for name in ("ESG_WORKING_KEY", "ESG_SIGNING_KEY", "ESG_REPORT_RECIPIENTS"):
        monkeypatch.delenv(name)
    (home / "work").rename(home / "gone")
    keyring = ["--keyring", f"{nights.home}/keys/demo-signing.pub.pem"]
    for day, version in VERSIONS:
        found = told("reproduce", *of(day, version), *key, *keyring)
        require_equal(found, nights, day, version)
        assert (found["from"], found["parts_sealed_anew"]) == ("archive", None)


def test_settings_of_today_do_not_change_a_past_report(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESG_API_MAPPING", '{"request": {"path": "/other/{account_id}", "ids": "path"}}')
    monkeypatch.setenv("ESG_METRICS", "another:t:lower")
    monkeypatch.setenv("ESG_AS_OF_LAG_DAYS", "9")
    assert told("reproduce", *FIRST_V1)["equal"]
    assert told("reproduce", "--date", str(THIRD))["equal"]


def test_people_read_what_was_compared(shown: Shown) -> None:
    lines = shown("reproduce", *of(FIRST, 2))
    assert lines[0].startswith(f"Report of {FIRST}, version 2 (entry 2), made again from the working data of")
    assert lines[1].endswith("raw answers judged again, 3 without a rating taken as they were kept.")
    assert lines[2].startswith("Counts equal: ")
    assert lines[3:] == ["Commitment equal: the CSV is, byte for byte, the one that was published."]


def a_part(home: Path, day: dt.date) -> Path:
    return min((home / "work" / "parts" / str(day) / "0001").iterdir())


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.chmod(0o600)
    path.write_bytes(data)


def test_a_part_that_was_altered_is_refused(told: Told, home: Path) -> None:
    flip(a_part(home, FIRST))
    refused = told("reproduce", *FIRST_V1, status=1)
    assert refused["kind"] == "Tampered"
    assert f"parts/{FIRST}/0001/00000001 of the work store was altered" in refused["error"]


def test_a_part_that_is_gone_is_told(told: Told, home: Path) -> None:
    for path in (home / "work" / "parts" / str(FIRST) / "0001").iterdir():
        path.unlink()
    refused = told("reproduce", *FIRST_V1, status=1)
    assert refused["kind"] == "KeyMissing"
    assert "parts that its entry names are in the work store" in refused["error"]


def test_an_archive_that_was_altered_or_is_gone_is_refused(told: Told, home: Path, key: list[str]) -> None:
    end_window(FIRST)
    (archive,) = (home / "store" / "archive" / str(FIRST)).iterdir()
    whole = archive.read_bytes()
    flip(archive)
    assert told("reproduce", *FIRST_V1, *key, status=1)["kind"] == "Tampered"
    archive.write_bytes(whole + b"x")
    assert told("reproduce", *FIRST_V1, *key, status=1)["kind"] == "Tampered"
    archive.unlink()
    missing = told("reproduce", *FIRST_V1, *key, status=1)
    assert missing["kind"] == "KeyMissing"
    assert f"the archive of {FIRST} version 2" in missing["error"]


def forge(home: Path, day: dt.date) -> None:
    """Put other answers into a part, as somebody with the working key can."""
    stores, name = lifecycle(), f"parts/{day}/0001/00000001"
    (batch,) = part_in(stores.kept.opened(name)).to_batches()
    forged = [
        outcome if outcome.account_id != CHANGED else _with_score(outcome, b"52.50", b"99.99")
        for outcome in outcomes.from_batch(batch)
    ]
    snapshot = stores.snapshots.generation(day, 1)
    work = LocalStore(home / "work")
    later = {each: work.read(each) for each in work.keys(f"parts/{day}/") if each > name}
    for each in (name, *later):
        work.delete(each)
    stores.parts.append(snapshot, outcomes.to_batch(forged))
    for each, data in later.items():
        work.create(each, data)


def _with_score(outcome: Any, before: bytes, after: bytes) -> Any:
    assert before in outcome.raw
    return replace(outcome, raw=outcome.raw.replace(before, after))


def test_answers_that_were_exchanged_with_the_working_key_show(
    told: Told, shown: Shown, home: Path, key: list[str]
) -> None:
    forge(home, SECOND)

    found = told("reproduce", *of(SECOND, 1), status=1)
    assert (found["equal"], found["commitment_equal"], found["parts_sealed_anew"]) == (False, False, 1)
    assert found["answers_that_differ"] == {"rows": 1, "score": 1}
    assert found["rows_that_differ"] is None, "the host cannot open the report"

    found = told("reproduce", *of(SECOND, 1), *key, status=1)
    assert found["rows_that_differ"] == {"rows": 1, "score": 1}
    assert CHANGED not in str(found)
    assert shown("reproduce", *of(SECOND, 1), *key, status=1)[2:] == [
        "Answers that give something else than was kept: 1 (score 1).",
        *[line for line in shown("reproduce", *of(SECOND, 1), status=1) if line.startswith("Counts equal: ")],
        "Commitment differs: this is not the CSV that was published.",
        "Rows that differ from the published report: 1 (score 1).",
    ]


def test_another_software_than_published_it_is_named_where_the_report_differs(
    told: Told, shown: Shown, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("esg_assets.cli.reproduce.__version__", "9.9")
    found = told("reproduce", *of(SECOND, 1))
    assert found["software"] == {"then": esg_assets.__version__, "now": "9.9"}
    forge(home, SECOND)
    (line,) = [each for each in shown("reproduce", *of(SECOND, 1), status=1) if "this is 9.9" in each]
    assert f"published by esg_assets {esg_assets.__version__}" in line


def test_a_frozen_mapping_that_is_no_longer_understood_is_told(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    def of_another_version(_: str) -> NoReturn:
        raise SettingsWrong("ESG_API_MAPPING: reply has no key fields")

    monkeypatch.setattr("esg_assets.adapters.esg_api.mapping.parse_provider_mapping", of_another_version)
    refused = told("reproduce", *of(THIRD, 1), status=1)
    assert refused["kind"] == "Refused"
    assert "does not understand the mapping that was frozen" in refused["error"]
    assert f"published by {esg_assets.__version__}: repeat it with that one" in refused["error"]


def test_a_new_working_key_changes_nothing(told: Told, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (own,) = generate(home / "keys", "host")[:1]
    monkeypatch.setenv("ESG_FORMER_WORKING_KEYS", os.environ["ESG_WORKING_KEY"])
    monkeypatch.setenv("ESG_WORKING_KEY", str(own))
    assert cli.run(["keys", "rotate"]) == 0
    found = told("reproduce", *of(FIRST, 2))
    assert found["equal"]
    assert found["parts_sealed_anew"] == found["parts"] > 0


def test_what_cannot_be_made_again_is_refused_with_what_to_do(
    told: Told, home: Path, key: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def error(*arguments: str, status: int = 1) -> str:
        return str(told("reproduce", *arguments, status=status)["error"])

    assert "no version 7 of the report is published; the newest is 2." in error(*of(FIRST, 7))
    assert "no report is published" in error("--date", "2026-02-01")
    stranger = str(generate(tmp_path / "other", "recipient")[0])
    assert "is none of its recipients" in error(*FIRST_V1, "--key", stranger)
    with monkeypatch.context() as patch:
        patch.delenv("ESG_WORKING_KEY")
        assert "open to the host alone that made it" in error(*FIRST_V1, *key, status=2)
    (home / "work").rename(home / "gone")
    assert "does not hold what it was made from" in error(*FIRST_V1)
    assert "does not hold what it was made from" in error(*FIRST_V1, *key)

    stores = lifecycle()
    records = LocalStore(home / "store")
    century = dt.datetime.now(dt.UTC) + dt.timedelta(days=40_000)
    expiry = Expiry(records, stores.remembered_chain, retention_years=6, now=lambda: century)
    expiry.expire(FIRST, requested_by="test", reason="retention ended")
    assert "it expired; entry" in error(*FIRST_V1, *key)
