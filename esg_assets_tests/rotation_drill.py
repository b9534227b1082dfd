"""A drill of years: every key is exchanged again and again, and at the end everything opens and verifies.

In each period reports are published, working windows end, and then every key changes: the working key
(what is kept is re-sealed), the signing key (the new one is valid from the next entry on), and one of the
two recipients (a custodian reseals what soon nobody could open).
"""

import datetime as dt
import time
from dataclasses import dataclass, field

from esg_assets.adapters.chain_log import ChainLog
from esg_assets.adapters.envelope import PrivateKeyEnvelope, RecipientEnvelope, WorkingEnvelope
from esg_assets.adapters.keys import PublicKeyring
from esg_assets.adapters.keys.keyring import VerifyKey
from esg_assets.adapters.publications import Publications, PublishedReports, Resealing, WorkingWindow
from esg_assets.adapters.working_data import KeptWork, Rekeying, SealedParts, SealedRecords, SealedSnapshots
from esg_assets.core.key_rules import Standing
from esg_assets.core.publication import Publication
from esg_assets_tests.adapters.records_material import COUNTS, recipient, signer, signing_key
from esg_assets_tests.adapters.work_material import batch, snapshot, success
from esg_assets_tests.fakes import MemoryStore

FIRST = dt.date(2026, 1, 1)
CUSTODIAN = 200
WHO = {"requested_by": "custodian", "reason": "the recipients changed"}


@dataclass
class Result:
    """What a drill came to.

    Attributes:
        opened: reports that the newest recipients opened, each of both, with the right content.
        faults: what `verify` found.
        entries: in the chain.
        reseals: how often a report was re-encrypted.
        rekeyed: how often an object of working data was sealed anew.
        kept: objects of working data at the end, all of them under the newest key.
        keys: how many keys of each kind were in use.
        seconds: what it took.
    """

    opened: int = 0
    faults: list[str] = field(default_factory=list)
    entries: int = 0
    reseals: int = 0
    rekeyed: int = 0
    kept: int = 0
    keys: int = 1
    seconds: float = 0.0


class Drill:
    """The state of it: two stores and the keys that are in use now."""

    def __init__(self, window_days: int) -> None:
        self._window_days = window_days
        self.records = MemoryStore()
        self.work = MemoryStore()
        self.result = Result()
        self._number = 1
        self._envelope = WorkingEnvelope(self._working_key())
        custodian = VerifyKey(signing_key(CUSTODIAN).public_key(), standing=Standing.CUSTODIAN)
        self._verify = [custodian, VerifyKey(signing_key(1).public_key())]
        self._today = FIRST

    def publish(self, count: int) -> None:
        """The reports of the next days; windows that have ended are closed."""
        for _ in range(count):
            day = self._today
            of = self._snapshots().save(snapshot(partition=day))
            parts = SealedParts(self.work, self._envelope, "test", self._snapshots())
            part = parts.append(of, batch(success("ACC-0000001")))
            publications = Publications(
                self.records,
                self._recipients(),
                self._handles(),
                self._chain(self._number),
                self._snapshots(),
                now=self._now,
            )
            draft = publications.draft(of, [text(day)])
            assert publications.reads_back(draft, [text(day)]).equal
            publications.publish(draft, COUNTS, [part], run_id="drill")
            self._today += dt.timedelta(days=1)
        window = WorkingWindow(
            self.records,
            self._recipients(),
            self._kept(),
            self._handles(),
            self._chain(self._number),
            working_days=self._window_days,
            now=self._now,
        )
        for date in window.dates():
            window.close(date)

    def rotate(self) -> None:
        """Every key changes."""
        # The working key: everything that is kept is sealed anew; then the old one is forgotten.
        old, self._number = self._working_key(), self._number + 1
        self._envelope = WorkingEnvelope(self._working_key(), [old])
        rekeying = Rekeying(self.work, self._envelope, self._kept(), "test")
        for name in [name for date in rekeying.dates() for name in rekeying.outdated(date)]:
            rekeying.reseal(name)
            self.result.rekeyed += 1
        self._envelope = WorkingEnvelope(self._working_key())
        # The signing key: the old one is good for what it signed, the new one from there on.
        head = self._chain(None).head().sequence
        last = self._verify.pop()
        self._verify.append(VerifyKey(last.key, last.first, head))
        self._verify.append(VerifyKey(signing_key(self._number).public_key(), head + 1))
        # The recipients: what only those could open who leave now is resealed with the key of one of them.
        now = {self._name(self._number), self._name(self._number - 1)}
        leaving = self._number - 2
        self._reseal([each for each in self._published() if not now & set(each.recipients)], leaving)
        self.result.keys = self._number

    def finish(self) -> Result:
        """Reseal what is not for exactly the newest recipients, then verify and open everything."""
        now = set(self._recipients().recipients)
        before = self._number - 1
        self._reseal([each for each in self._published() if set(each.recipients) != now], before)
        reports = PublishedReports(self.records, self._chain(None))
        judged = reports.verify()
        self.result.faults = [str(fault) for fault in judged.faults]
        self.result.entries = judged.entries
        for each in reports.list():
            for number in (self._number, before):
                with reports.open_report(each, PrivateKeyEnvelope(recipient(number)[1])) as source:
                    assert source.read() == text(each.date)
            self.result.opened += 1
        rekeying = Rekeying(self.work, self._envelope, self._kept(), "test")
        for date in rekeying.dates():
            assert rekeying.outdated(date) == []
            self.result.kept += len([self._kept().opened(name) for name in self._kept().names(date)])
        return self.result

    def _reseal(self, wanted: list[Publication], opener: int) -> None:
        custody = Resealing(self.records, self._chain(CUSTODIAN), self._recipients(), now=self._now)
        for each in wanted:
            custody.reseal(each, PrivateKeyEnvelope(recipient(opener)[1]), **WHO)
            self.result.reseals += 1

    def _published(self) -> list[Publication]:
        return self._chain(None).publications()

    def _chain(self, seed: int | None) -> ChainLog:
        keyring = PublicKeyring(self._verify)
        return ChainLog(self.records, None if seed is None else signer(seed), keyring, "test")

    def _recipients(self) -> RecipientEnvelope:
        return RecipientEnvelope([recipient(self._number)[0], recipient(self._number - 1)[0]])

    def _name(self, number: int) -> str:
        return recipient(number)[0].fingerprint

    def _working_key(self) -> bytes:
        return bytes([self._number]) * 32

    def _snapshots(self) -> SealedSnapshots:
        return SealedSnapshots(self.work, self._envelope, "test")

    def _handles(self) -> SealedRecords:
        return SealedRecords(self.work, self._envelope, "test")

    def _kept(self) -> KeptWork:
        return KeptWork(self.work, self._envelope, "test", self._snapshots())

    def _now(self) -> dt.datetime:
        return dt.datetime.combine(self._today, dt.time(11), dt.UTC)


def text(day: dt.date) -> bytes:
    """The report of a date."""
    return f"account_id,score\r\nACC-{day},61.20\r\n".encode()


def drill(reports: int, rotations: int, *, window_days: int = 35) -> Result:
    """Publish so many reports over so many rotations."""
    started = time.perf_counter()
    state = Drill(window_days)
    for period in range(rotations + 1):
        done, due = period * reports // (rotations + 1), (period + 1) * reports // (rotations + 1)
        state.publish(due - done)
        if period < rotations:
            state.rotate()
    result = state.finish()
    result.seconds = time.perf_counter() - started
    return result
