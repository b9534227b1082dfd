"""Records to test with: real keys, real envelopes, and stores that break on the way."""

import contextlib
import datetime as dt
import functools
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from esg_assets.adapters.chain_log import ChainLog
from esg_assets.adapters.envelope import PrivateKeyEnvelope, RecipientEnvelope
from esg_assets.adapters.keys import Ed25519Signer, PublicKeyring, fingerprint
from esg_assets.adapters.keys.keyring import VerifyKey
from esg_assets.adapters.publications import Publications, PublishedReports
from esg_assets.adapters.stores.local import LocalStore
from esg_assets.adapters.working_data import SealedParts, SealedRecords, SealedSnapshots
from esg_assets.core.accounts import Snapshot
from esg_assets.core.ports import Envelope, ObjectStore, RecipientKey, RecipientPrivateKey, Sink, Source
from esg_assets.core.publication import Draft, Publication
from esg_assets.core.ratings import Status
from esg_assets_tests.adapters.work_material import batch, snapshot, success, working_envelope
from esg_assets_tests.fakes import MemoryStore

WHEN = dt.datetime(2026, 1, 15, 11, 3, 7, tzinfo=dt.UTC)
COUNTS = {Status.SUCCESS: 2, Status.FAILED: 1}
CSV = [b"account_id,score\r\n", b"ACC-0000001,61.20\r\n", b"ACC-0000002,7\r\n"]
TEXT = b"".join(CSV)
OTHER_CSV = [*CSV[:2], b"ACC-0000002,8\r\n"]


def signing_key(seed: int = 1) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)


def signer(seed: int = 1) -> Ed25519Signer:
    return Ed25519Signer(signing_key(seed))


def keyring(*keys: VerifyKey) -> PublicKeyring:
    return PublicKeyring(keys or [VerifyKey(signing_key().public_key())])


@functools.cache
def recipient(number: int) -> tuple[RecipientKey, RecipientPrivateKey]:
    """A recipient's key pair, made once: an RSA key takes its time."""
    del number  # told apart by the cache
    key = rsa.generate_private_key(public_exponent=65537, key_size=3072)
    name = fingerprint(key.public_key())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return RecipientKey(name, public), RecipientPrivateKey(name, private)


def to_recipients() -> RecipientEnvelope:
    return RecipientEnvelope([recipient(1)[0], recipient(2)[0]])


def opener(number: int = 1) -> PrivateKeyEnvelope:
    return PrivateKeyEnvelope(recipient(number)[1])


@dataclass
class Records:
    """A records and a work store, and everything over them as a new process would make it."""

    records: ObjectStore = field(default_factory=MemoryStore)
    work: ObjectStore = field(default_factory=MemoryStore)

    def chain(self) -> ChainLog:
        return ChainLog(self.records, signer(), keyring(), "test")

    def reader(self) -> ChainLog:
        return ChainLog(self.records, None, keyring(), "test")

    def record_names(self) -> list[str]:
        """What the records store holds, beside its id."""
        return [key for key in self.records.keys("") if key != "store_id"]

    def snapshots(self) -> SealedSnapshots:
        return SealedSnapshots(self.work, working_envelope(), "test")

    def parts(self) -> SealedParts:
        return SealedParts(self.work, working_envelope(), "test", self.snapshots())

    def working(self) -> SealedRecords:
        return SealedRecords(self.work, working_envelope(), "test")

    def publications(
        self, chain: ChainLog | None = None, envelope: RecipientEnvelope | None = None
    ) -> Publications:
        return Publications(
            self.records,
            envelope or to_recipients(),
            self.working(),
            chain or self.chain(),
            self.snapshots(),
            now=lambda: WHEN,
        )

    def snapshot(self, partition: dt.date) -> Snapshot:
        """The partition's snapshot of three accounts, with a part of ratings, as earlier steps leave it."""
        kept = self.snapshots().latest(partition)
        if kept is None:
            kept = self.snapshots().save(snapshot(partition=partition))
        if not self.parts().refs(kept):
            self.parts().append(kept, batch(success("ACC-0000001")))
        return kept

    def publish(
        self, partition: dt.date, chunks: Iterable[bytes] = CSV, *, reason: str = "", run_id: str = "run"
    ) -> Publication:
        """Draft, read back, publish."""
        of = self.snapshot(partition)
        publications = self.publications()
        chunks = list(chunks)
        draft = publications.draft(of, chunks, reason=reason)
        if draft.unchanged is None:
            assert publications.reads_back(draft, chunks).equal
        return self.finish(publications, draft, of, reason=reason, run_id=run_id)

    def finish(
        self, publications: Publications, draft: Draft, of: Snapshot, *, reason: str = "", run_id: str = "run"
    ) -> Publication:
        refs = self.parts().refs(of)
        reason = reason or ("" if draft.version == 1 else "the provider corrected a score")
        return publications.publish(
            draft, COUNTS, refs, run_id=run_id, requested_by="somebody", reason=reason
        )


def records_in(folder: Path) -> Records:
    """Records on the disk."""
    return Records(LocalStore(folder / "store"), LocalStore(folder / "work"))


def read_all(publications: PublishedReports, publication: Publication, envelope: Envelope) -> bytes:
    with publications.open_report(publication, envelope) as source:
        return source.read()


class Killed(BaseException):
    """Stands for the end of the process: nothing catches it on the way."""


class BreakingStore:
    """A store over another one, in whose n-th step the process dies, before or after it took effect.

    Attributes:
        steps: how many steps were taken so far.
        die_at: the step to die in, 0 for never.
        after: whether the step takes effect first.
    """

    def __init__(self, inner: ObjectStore) -> None:
        self._inner = inner
        self.steps = 0
        self.die_at = 0
        self.after = False

    @contextlib.contextmanager
    def _step(self) -> Iterator[None]:
        self.steps += 1
        now = self.steps == self.die_at
        if now and not self.after:
            raise Killed
        try:
            yield
        finally:
            if now:
                raise Killed

    def create(self, key: str, data: bytes) -> None:
        with self._step():
            self._inner.create(key, data)

    @contextlib.contextmanager
    def writer(self, key: str) -> Iterator[Sink]:
        written = io.BytesIO()
        yield _BreakingSink(self, written)
        with self._step(), self._inner.writer(key) as sink:
            sink.write(written.getvalue())

    def read(self, key: str) -> bytes:
        with self._step():
            return self._inner.read(key)

    @contextlib.contextmanager
    def open(self, key: str) -> Iterator[Source]:
        with self._step():
            data = self._inner.read(key)
        yield io.BytesIO(data)

    def keys(self, prefix: str) -> Iterator[str]:
        with self._step():
            found = list(self._inner.keys(prefix))
        yield from found

    def delete(self, key: str) -> None:
        with self._step():
            self._inner.delete(key)


class _BreakingSink:
    def __init__(self, store: BreakingStore, sink: Sink) -> None:
        self._store = store
        self._sink = sink

    def write(self, data: bytes, /) -> int:
        with self._store._step():
            return self._sink.write(data)
