"""What the report commands answer, over real keys and stores."""

import datetime as dt
import json
from pathlib import Path

import pytest

from esg_assets.adapters.publications import PublishedReports
from esg_assets.adapters.stores.local import LocalStore
from esg_assets.cli import reports
from esg_assets.core.errors import KeyMissing, Refused, SettingsWrong, Tampered
from esg_assets.core.ratings import Reason
from esg_assets.core.summary import FailedAccount, summary_chunks
from esg_assets_tests.adapters.records_material import (
    CSV,
    OTHER_CSV,
    Records,
    opener,
    recipient,
    to_recipients,
)
from esg_assets_tests.adapters.work_material import DAY, batch, failure, snapshot, success

NEXT = DAY + dt.timedelta(days=1)
RECIPIENTS = list(to_recipients().recipients)
COUNTS = {"SUCCESS": 2, "NOT_RATED": 0, "FAILED": 1}


@pytest.fixture
def house(tmp_path: Path) -> Records:
    return Records(LocalStore(tmp_path / "store"), LocalStore(tmp_path / "work"))


def reader(house: Records) -> PublishedReports:
    return PublishedReports(house.records, house.reader())


def test_the_list_holds_every_version_oldest_date_first(house: Records) -> None:
    assert reports.listed(reader(house)) == {"reports": []}
    house.publish(NEXT)
    house.publish(DAY)
    house.publish(NEXT, OTHER_CSV)
    answer = reports.listed(reader(house))
    assert answer == {
        "reports": [
            {"date": day, "version": version, "sequence": n, "counts": COUNTS, "recipients": RECIPIENTS}
            for day, version, n in [("2026-01-15", 1, 2), ("2026-01-16", 1, 1), ("2026-01-16", 2, 3)]
        ]
    }
    assert json.loads(json.dumps(answer)) == answer


def test_a_report_is_decrypted_into_a_new_file(house: Records, tmp_path: Path) -> None:
    house.publish(DAY)
    house.publish(DAY, OTHER_CSV)
    out = tmp_path / "report.csv"
    answer = reports.decrypted(reader(house), opener(), DAY, out, 1)
    assert out.read_bytes() == b"".join(CSV)
    assert answer == {
        "date": "2026-01-15",
        "version": 1,
        "sequence": 1,
        "counts": COUNTS,
        "recipients": RECIPIENTS,
        "rows": 3,
        "bytes": out.stat().st_size,
        "path": str(out),
    }
    with pytest.raises(Refused, match="exists already"):
        reports.decrypted(reader(house), opener(), DAY, out)
    assert reports.decrypted(reader(house), opener(2), DAY, tmp_path / "newest.csv")["version"] == 2
    assert (tmp_path / "newest.csv").read_bytes() == b"".join(OTHER_CSV)
    with pytest.raises(KeyMissing):
        reports.decrypted(reader(house), opener(), NEXT, tmp_path / "none.csv")


def test_a_report_that_was_altered_or_is_for_others_gives_no_file(house: Records, tmp_path: Path) -> None:
    published = house.publish(DAY)
    stored = tmp_path / "store" / published.report.key
    out = tmp_path / "report.csv"
    from_stranger = opener(3)
    with pytest.raises(Refused, match="is none of its recipients"):
        reports.decrypted(reader(house), from_stranger, DAY, out)
    assert not out.exists()
    good = stored.read_bytes()
    for data in (good[:-1], good + b"\0", good[:900] + bytes([good[900] ^ 1]) + good[901:]):
        stored.write_bytes(data)
        with pytest.raises(Tampered):
            reports.decrypted(reader(house), opener(), DAY, out)
        assert not out.exists()
    stored.unlink()
    with pytest.raises(KeyMissing, match="does not hold it"):
        reports.decrypted(reader(house), opener(), DAY, out)
    assert not out.exists()
    assert recipient(3)[0].fingerprint not in published.recipients


def test_verify_answers_in_the_contracts_form(house: Records, tmp_path: Path) -> None:
    assert reports.verified(reader(house)) == {
        "ok": True,
        "entries": 0,
        "head": {"sequence": 0, "sha256": "0" * 64},
        "faults": [],
    }
    published = house.publish(DAY)
    head = house.chain().head()
    answer = reports.verified(reader(house), expect_head=str(head))
    assert answer == {
        "ok": True,
        "entries": 1,
        "head": {"sequence": 1, "sha256": head.sha256},
        "faults": [],
    }
    (tmp_path / "store" / published.report.key).unlink()
    answer = reports.verified(reader(house), DAY)
    assert answer["ok"] is False
    assert answer["faults"] == [
        {
            "date": "2026-01-15",
            "version": 1,
            "sequence": 1,
            "what": "the sealed report is missing from the store",
        }
    ]
    assert reports.verified(reader(house), NEXT)["ok"]
    assert not reports.verified(reader(house), NEXT, f"1:{'0' * 64}")["ok"]
    with pytest.raises(SettingsWrong, match="SEQ:SHA256"):
        reports.verified(reader(house), expect_head="1")


def test_failures_come_from_the_sealed_summary(house: Records) -> None:
    published = house.publish(DAY)
    with pytest.raises(KeyMissing, match="none is published"):
        reports.failures_in_summary(reader(house), opener(), DAY)
    failed = [
        FailedAccount("ACC-0000001", Reason.TIMEOUT, 5, None),
        FailedAccount("Ü/..", Reason.REJECTED, 1, 422),
    ]
    house.publications().publish_summary(published, summary_chunks({"schema_version": 1}, failed))
    assert reports.failures_in_summary(reader(house), opener(), DAY) == {
        "date": "2026-01-15",
        "version": 1,
        "failures": [
            {"account_id": "ACC-0000001", "reason": "timeout", "attempts": 5, "last_status": None},
            {"account_id": "Ü/..", "reason": "rejected", "attempts": 1, "last_status": 422},
        ],
    }
    with pytest.raises(KeyMissing):
        reports.failures_in_summary(reader(house), opener(), NEXT)


def test_failures_come_from_the_working_data_as_they_stand_now(house: Records) -> None:
    with pytest.raises(KeyMissing, match="Give --key"):
        reports.failures_in_work(house.snapshots(), house.parts(), DAY)
    kept = house.snapshots().save(snapshot(3))
    assert reports.failures_in_work(house.snapshots(), house.parts(), DAY) == {
        "date": "2026-01-15",
        "version": None,
        "failures": [],
    }
    parts = house.parts()
    parts.append(kept, batch(failure("ACC-0000000"), failure("ACC-0000001"), failure("left the firm")))
    parts.append(kept, batch(success("ACC-0000000")))
    assert reports.failures_in_work(house.snapshots(), house.parts(), DAY)["failures"] == [
        {"account_id": "ACC-0000001", "reason": "timeout", "attempts": 5, "last_status": None}
    ]
