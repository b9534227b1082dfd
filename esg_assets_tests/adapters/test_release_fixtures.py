"""What every release wrote, this version opens and verifies (how a fixture is made: release_fixtures.py)."""

import datetime as dt
import hmac
import io
import json
import shutil
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from esg_assets.adapters.chain_log import ChainLog
from esg_assets.adapters.envelope import PrivateKeyEnvelope, WorkingEnvelope
from esg_assets.adapters.keys import PublicKeyring, load_private_key, load_working_key
from esg_assets.adapters.publications import PublishedReports
from esg_assets.adapters.stores.local import LocalStore
from esg_assets.adapters.working_data import KeptWork, SealedParts, SealedSnapshots
from esg_assets.adapters.working_data.arrow_streams import read_stream
from esg_assets.core import outcomes
from esg_assets.core.chain_bodies import Kind
from esg_assets.core.errors import KeyMissing
from esg_assets_tests.release_fixtures import FOLDER, PREFIX, csv_of, day

RELEASES = sorted(path.name for path in FOLDER.iterdir() if path.is_dir())


@dataclass
class Fixture:
    """A copy of a release's home, with the modes that git does not keep."""

    home: Path
    expected: dict[str, Any]

    def key(self, name: str) -> Path:
        return self.home / "keys" / f"{PREFIX}{name}"

    def reports(self) -> PublishedReports:
        records = LocalStore(self.home / "store")
        items = [str(self.key("signing.pub.pem")), f"custodian:{self.key('custodian.pub.pem')}"]
        return PublishedReports(records, ChainLog(records, None, PublicKeyring.from_items(items), "test"))

    def opener(self, date: dt.date) -> PrivateKeyEnvelope:
        """The key that opens a date's report: the second day's was resealed."""
        name = "second-recipient" if date == day(1) else "recipient"
        return PrivateKeyEnvelope(load_private_key(self.key(f"{name}.pem")))


@pytest.fixture(params=RELEASES)
def fixture(request: pytest.FixtureRequest, tmp_path: Path) -> Fixture:
    home = tmp_path / "home"
    shutil.copytree(FOLDER / request.param, home)
    for path in (home / "keys").iterdir():
        path.chmod(0o644 if path.name.endswith(".pub.pem") else 0o600)
    return Fixture(home, json.loads((home / "expected.json").read_text()))


def test_there_is_a_fixture_with_an_entry_of_every_kind() -> None:
    kinds = {
        kind
        for name in RELEASES
        for kind in json.loads((FOLDER / name / "expected.json").read_text())["kinds"]
    }
    assert kinds == {kind.value for kind in Kind}


def test_its_chain_verifies_to_the_head_it_had(fixture: Fixture) -> None:
    judged = fixture.reports().verify()
    assert judged.ok, judged.faults
    assert (judged.entries, judged.head.sha256) == (fixture.expected["entries"], fixture.expected["head"])


def test_every_report_opens_with_its_salt_and_summary(fixture: Fixture) -> None:
    reports = fixture.reports()
    opened = []
    for each in reports.list():
        key = fixture.opener(each.date)
        if each.date == day(3):
            with pytest.raises(KeyMissing, match="it expired"), reports.open_report(each, key):
                pass
            continue
        with reports.open_report(each, key) as source:
            text = source.read()
        assert text == csv_of(each.date, each.version)
        assert hmac.new(reports.open_salt(each, key), text, "sha256").hexdigest() == each.commitment
        with reports.open_summary(each, key) as source:
            assert json.loads(source.read())["failed_accounts"] == []
        opened.append((each.date, each.version))
    assert sorted(opened) == [(day(0), 1), (day(0), 2), (day(1), 1), (day(2), 1)]


def test_its_working_data_opens_and_counts(fixture: Fixture) -> None:
    work = LocalStore(fixture.home / "work")
    envelope = WorkingEnvelope(load_working_key(fixture.key("working.key")))
    snapshots = SealedSnapshots(work, envelope, "test")
    parts = SealedParts(work, envelope, "test", snapshots)
    for date in (day(0), day(2), day(3)):
        snapshot = snapshots.latest(date)
        assert snapshot is not None
        assert snapshot.count == 3
        assert len(parts.refs(snapshot)) == 2
        latest = outcomes.latest(snapshot.accounts.column("account_id"), parts.read(snapshot))
        assert {status.value: count for status, count in outcomes.counts(latest).items()}["SUCCESS"] == 2
    kept = KeptWork(work, envelope, "test", snapshots)
    assert kept.dates() == [day(0), day(2), day(3)]
    for date in kept.dates():
        for name in kept.names(date):
            kept.opened(name)


def test_its_archive_opens_for_the_recipients(fixture: Fixture) -> None:
    reports = fixture.reports()
    published = reports.version(day(1))
    (archived,) = published.archived
    with reports.open_stored(published, "archive", fixture.opener(day(1)), archived) as source:
        data = source.read()
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        names = tar.getnames()
        part = tar.extractfile("parts/2026-01-16/0001/00000001")
        assert part is not None
        assert read_stream(part.read()).column("account_id").to_pylist() == ["ACC-0000000", "ACC-0000001"]
    assert [name for name in names if not name.startswith("handles/")] == [
        "parts/2026-01-16/0001/00000001",
        "parts/2026-01-16/0001/00000002",
        "snapshots/2026-01-16/0001",
    ]
