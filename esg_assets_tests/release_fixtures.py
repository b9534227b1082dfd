"""The fixtures of a release: one small home of it, which every later version must open and verify.

    python -m esg_assets_tests.release_fixtures

makes `esg_assets_tests/fixtures/<version>/` with the code as it is, once, before a release; what is there
is never made again. It holds a records and a work store with an entry of every kind, keys that were
made for it and for nothing else (their names say so), and what is expected of them.
"""

import contextlib
import datetime as dt
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from esg_assets import __version__
from esg_assets.adapters.chain_log import ChainLog
from esg_assets.adapters.envelope import PrivateKeyEnvelope, RecipientEnvelope, WorkingEnvelope
from esg_assets.adapters.keys import (
    Ed25519Signer,
    PublicKeyring,
    generate,
    load_recipient,
    load_working_key,
)
from esg_assets.adapters.keys.loading import load_private_key
from esg_assets.adapters.publications import Expiry, Publications, Resealing, WorkingWindow
from esg_assets.adapters.stores.local import LocalStore
from esg_assets.adapters.working_data import KeptWork, SealedParts, SealedRecords, SealedSnapshots
from esg_assets.core.chain_bodies import Kind
from esg_assets.core.ratings import Status
from esg_assets_tests.adapters.work_material import batch, failure, snapshot, success

FOLDER = Path(__file__).with_name("fixtures")
PREFIX = "made-for-tests-"
FIRST = dt.date(2026, 1, 15)
WHO = {"requested_by": "release fixtures", "reason": "an entry of this kind"}


def day(number: int) -> dt.date:
    """The n-th date of a fixture, from 0."""
    return FIRST + dt.timedelta(days=number)


def csv_of(date: dt.date, version: int = 1) -> bytes:
    """The report of a date; what it holds is known to the test as well."""
    return f"account_id,overall_esg_score\r\nACC-0000001,{60 + version}.20\r\nACC-{date},7\r\n".encode()


class Maker:
    """One home in the making."""

    def __init__(self, home: Path) -> None:
        keys = home / "keys"
        generate(keys, prefix=PREFIX)
        generate(keys, "custodian", prefix=PREFIX)
        with _renamed(keys, "recipient", "second-recipient"):
            generate(keys, "recipient", prefix=PREFIX)
        self.keys = keys
        self.records, self.work = LocalStore(home / "store"), LocalStore(home / "work")
        self.envelope = WorkingEnvelope(load_working_key(keys / f"{PREFIX}working.key"))
        self.now = dt.datetime.combine(FIRST, dt.time(11), dt.UTC)

    def chain(self, key: str = "signing") -> ChainLog:
        items = [f"{self.keys}/{PREFIX}signing.pub.pem", f"custodian:{self.keys}/{PREFIX}custodian.pub.pem"]
        signer = Ed25519Signer.from_file(self.keys / f"{PREFIX}{key}.pem")
        return ChainLog(self.records, signer, PublicKeyring.from_items(items), "test")

    def recipients(self, name: str = "recipient") -> RecipientEnvelope:
        return RecipientEnvelope([load_recipient(self.keys / f"{PREFIX}{name}.pub.pem")])

    def opener(self, name: str = "recipient") -> PrivateKeyEnvelope:
        return PrivateKeyEnvelope(load_private_key(self.keys / f"{PREFIX}{name}.pem"))

    def publish(self, date: dt.date, version: int = 1) -> None:
        """A version with its snapshot, two parts and a summary."""
        snapshots = SealedSnapshots(self.work, self.envelope, "test")
        parts = SealedParts(self.work, self.envelope, "test", snapshots)
        of = snapshots.latest(date) or snapshots.save(snapshot(partition=date))
        if version == 1:
            parts.append(of, batch(success("ACC-0000000"), failure("ACC-0000001")))
            parts.append(of, batch(success("ACC-0000001")))
        handles = SealedRecords(self.work, self.envelope, "test")
        publications = Publications(
            self.records, self.recipients(), handles, self.chain(), snapshots, now=lambda: self.now
        )
        reason = "" if version == 1 else "the provider corrected a score"
        draft = publications.draft(of, [csv_of(date, version)], reason=reason)
        counts = {Status.SUCCESS: 2, Status.FAILED: 1}
        told = {"run_id": "fixture", "requested_by": "fixture", "reason": reason}
        published = publications.publish(draft, counts, parts.refs(of), **told)
        publications.publish_summary(published, [b'{"schema_version": 1, "failed_accounts": []}'])

    def archive(self, date: dt.date) -> None:
        """The end of the date's working window."""
        snapshots = SealedSnapshots(self.work, self.envelope, "test")
        WorkingWindow(
            self.records,
            self.recipients(),
            KeptWork(self.work, self.envelope, "test", snapshots),
            SealedRecords(self.work, self.envelope, "test"),
            self.chain(),
            working_days=0,
            now=lambda: self.now,
        ).close(date)


def make(home: Path) -> dict[str, Any]:
    """A home with everything in it; gives what is expected of it."""
    maker = Maker(home)
    for number in range(4):
        maker.publish(day(number))
    maker.publish(day(0), version=2)  # corrected; its working data stays
    maker.archive(day(1))
    resealing = Resealing(
        maker.records, maker.chain("custodian"), maker.recipients("second-recipient"), now=lambda: maker.now
    )
    for each in resealing.versions(day(1)):
        resealing.reseal(each, maker.opener(), **WHO)
    expiry = Expiry(maker.records, maker.chain(), retention_years=6, now=lambda: maker.now)
    expiry.hold(day(2), **WHO)
    expiry.release(day(2), **WHO)
    maker.now = maker.now.replace(year=2033)
    expiry.expire(day(3), **WHO)
    chain = maker.chain()
    # A head that is lost; nothing is, but the entry must stand for one.
    restore = {"head": {"sequence": chain.head().sequence + 2, "sha256": "ab" * 32}, **WHO}
    chain.append(Kind.RESTORE, restore, recorded_at=maker.now)
    kinds = sorted({entry.kind.value for entry in chain.entries()})
    return {"entries": chain.head().sequence, "head": chain.head().sha256, "kinds": kinds}


@contextlib.contextmanager
def _renamed(keys: Path, name: str, other: str) -> Iterator[None]:
    """Make room for a second pair of that name; the new one is called `other` afterwards."""
    for end in (".pem", ".pub.pem"):
        (keys / f"{PREFIX}{name}{end}").rename(keys / f"first{end}")
    yield
    for end in (".pem", ".pub.pem"):
        (keys / f"{PREFIX}{name}{end}").rename(keys / f"{PREFIX}{other}{end}")
        (keys / f"first{end}").rename(keys / f"{PREFIX}{name}{end}")


def main() -> int:
    """Make the fixture of this version unless it is there."""
    folder = FOLDER / __version__
    if folder.exists():
        sys.stderr.write(f"{folder} is there already; the fixture of a release is made once.\n")
        return 1
    folder.mkdir(parents=True)
    try:
        expected = make(folder)
    except BaseException:
        shutil.rmtree(folder)
        raise
    text = json.dumps(expected, indent=2, sort_keys=True)
    (folder / "expected.json").write_text(f"{text}\n", encoding="utf-8")
    sys.stdout.write(
        f"{folder}: {expected['entries']} entries of the kinds {', '.join(expected['kinds'])}.\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
