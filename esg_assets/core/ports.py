"""The ports: what the rules need of the world, as Protocols.

Assets and the collection engine receive these; adapters implement them; fakes in the tests do too,
and one contract suite per port runs against every implementation and its fake.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol, runtime_checkable

import pyarrow as pa

from esg_assets.core.accounts import Snapshot
from esg_assets.core.history import (
    ChainHead,
    ClearFigures,
    PastReport,
    PublishedReport,
    RunRecord,
    RunTotals,
)
from esg_assets.core.ratings import Reply
from esg_assets.core.reply_shapes import ReplyShape

Context = Mapping[str, str]
"""Encryption context: what a sealed object is (environment, kind, partition …); not secret, always whole."""


class Source(Protocol):
    """Bytes to read, in order, once."""

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes (all that is left for -1); b"" at the end."""


class Sink(Protocol):
    """Bytes to write, in order, once."""

    def write(self, data: bytes, /) -> int:
        """Take all of `data`; return its length."""


class AccountSource(Protocol):
    """The firm's account system."""

    @property
    def kind(self) -> str:
        """One of http, sql and file: for messages and metadata; never a location."""

    def read(self, as_of: date | None) -> Iterator[Sequence[Mapping[str, object]]]:
        """Rows under the source's own field names, in batches of at most 10,000.

        Args:
            as_of: accounts as they were at the end of that day; None means as they are now.

        Raises:
            NoHistory: `as_of` was given and the source keeps no history (raised before any row).
            AccessDenied, SourceUnavailable, AccountsRefused (the source contradicts itself: a total
            that disagrees with what arrived).
        """


@dataclass(frozen=True)
class CallPolicy:
    """How the provider may be called; shown in the run's metadata.

    Attributes:
        rate: calls per second in total, never exceeded.
        burst: calls at once.
        concurrency: calls in flight at most.
        timeout_seconds: for one whole call, connect to last byte.
        max_attempts: tries of one account in one run.
        max_retry_after_seconds: a longer Retry-After is treated as this.
        outage_seconds: after this long without a good answer the run ends with what it has.
        backoff_seconds: the longest wait after an account's first failed try; it doubles with each.
        backoff_cap_seconds: the longest wait ever, unless the provider asks for more.
    """

    rate: float = 50.0
    burst: int = 1
    concurrency: int = 64
    timeout_seconds: float = 30.0
    max_attempts: int = 5
    max_retry_after_seconds: float = 900.0
    outage_seconds: float = 1800.0
    backoff_seconds: float = 0.5
    backoff_cap_seconds: float = 30.0


class RatingsApi(Protocol):
    """The external ESG Portfolio Analysis API; safe to call from many threads."""

    @property
    def policy(self) -> CallPolicy:
        """Rate limit and retry policy in force."""

    @property
    def accounts_per_call(self) -> int:
        """The most accounts that one call may ask for; 1 unless the provider offers more."""

    def ask(self, account_id: str, as_of: date) -> Reply:
        """`ask_many` of one account."""

    def ask_many(
        self,
        account_ids: Sequence[str],
        as_of: date,
        wait_for_slot: Callable[[], None] | None = None,
        etag: str = "",
    ) -> Reply:
        """One call for several accounts. Never raises for what the other side does: that is in the Reply.

        Where the provider answers in pages, the Reply's body is all of them.

        Args:
            account_ids: 1 to `accounts_per_call`, unique.
            as_of: the date asked for.
            wait_for_slot: called before each further page, since that is one more call to the
                provider: it returns when a slot of the rate is taken, and what it raises is raised
                here. Without it no further page is asked for, and a reply that has one is a
                Fault.BAD_RESPONSE.
            etag: of an answer that is kept: of one account the provider may say 304, unchanged.

        Raises:
            AccessDenied: no token could be had with these credentials.
        """

    def close(self) -> None:
        """Release connections; nothing is asked afterwards."""


class ReplyShapes(Protocol):
    """The shapes of replies by the mapping that describes them, as it is frozen with a snapshot."""

    def of(self, mapping: str) -> ReplyShape:
        """The shape that ESG_API_MAPPING's canonical text describes; "" is the contract's.

        Raises:
            SettingsWrong: the text describes none.
        """


class Authorization(Protocol):
    """Credentials of an HTTP client; safe to call from many threads."""

    def headers(self) -> Mapping[str, str]:
        """Header fields for the next request; may fetch a token first (one caller, others wait).

        Raises:
            AccessDenied: the token endpoint refuses the credentials.
            Unavailable: it does not answer, after retries.
        """

    def renew(self, refused: Mapping[str, str]) -> bool:
        """After a 401 to a request that carried `refused`: see to new credentials.

        One new token serves all callers who carried the refused one. Returns whether there is now
        something else to try (False for credentials that cannot be renewed).
        """


class ObjectStore(Protocol):
    """Named bytes. Keys are '/'-separated segments of [A-Za-z0-9._=-], no segment '.' or '..'.

    Raises StoreUnavailable when the store does not answer or is full, on every method.
    """

    def create(self, key: str, data: bytes) -> None:
        """Write a new object, all or nothing, durable on return. Raises KeyExists."""

    def writer(self, key: str) -> AbstractContextManager[Sink]:
        """Stream a new object: it appears whole and durable on a clean exit.

        After an exception inside the block nothing of that name appears, ever. The caller uses a
        name that is his alone (a random part in it). Memory is bounded.
        """

    def read(self, key: str) -> bytes:
        """The whole object. Raises KeyMissing."""

    def open(self, key: str) -> AbstractContextManager[Source]:
        """Stream an object; memory is bounded. Raises KeyMissing."""

    def keys(self, prefix: str) -> Iterator[str]:
        """Every key below `prefix` (a folder: ends with '/' or is ''), ascending by code point.

        Only whole, published objects: nothing half-written or temporary.
        """

    def delete(self, key: str) -> None:
        """Remove an object (no error if it is not there). Used on working data only."""


class Envelope(Protocol):
    """AES-256-GCM sealing of a stream; the whole context is given again to open it."""

    def seal(self, sink: Sink, context: Context) -> AbstractContextManager[Sink]:
        """Plaintext written to the inner sink arrives sealed in `sink`; complete on a clean exit."""

    def open(self, source: Source, context: Context) -> AbstractContextManager[Source]:
        """Plaintext of a sealed stream, in verified frames.

        The reader must read to the end before it believes a byte: only then, and on exit, are
        signature, end of message and appended bytes checked.

        Raises:
            Tampered: wrong key, wrong or incomplete context, altered, cut off or appended bytes.
        """


@runtime_checkable
class HeldLease(Protocol):
    """A lease that is held until its context ends or its process dies."""

    @property
    def previous_holder(self) -> str:
        """Who held it last ("" if nobody ever did): gone for certain, since it is held now."""


class Leases(Protocol):
    """Mutual exclusion over processes and hosts, released by kernel or server when the holder dies."""

    def hold(self, name: str, holder: str, *, wait_seconds: float = 0.0) -> AbstractContextManager[HeldLease]:
        """Hold the lease `name` as `holder` (a run id) for the length of the block.

        Raises:
            LeaseBusy: somebody else holds it and still does after `wait_seconds`; the message
            names the holder.
        """


@dataclass(frozen=True)
class PartRef:
    """One sealed part of a partition's ratings.

    Attributes:
        key: its name in the work store.
        sha256: digest of the ciphertext, 64 hex digits.
    """

    key: str
    sha256: str


class Snapshots(Protocol):
    """The frozen account snapshots, sealed in the work store."""

    def latest(self, partition: date) -> Snapshot | None:
        """The newest generation, or None if the partition has none. Raises Tampered."""

    def generation(self, partition: date, generation: int) -> Snapshot:
        """That generation. Raises KeyMissing, Tampered."""

    def save(self, snapshot: Snapshot) -> Snapshot:
        """Store a new snapshot as the partition's next generation and return it with its number."""


class RatingsParts(Protocol):
    """Outcomes in sealed parts, appended as they arrive; keyed by partition, never by run."""

    def append(self, snapshot: Snapshot, outcomes: pa.RecordBatch) -> PartRef:
        """Seal rows of OUTCOME_SCHEMA as the next part of the snapshot's partition; durable on return."""

    def refs(self, snapshot: Snapshot) -> list[PartRef]:
        """Every part that `read` would read, oldest first."""

    def read(
        self,
        snapshot: Snapshot,
        columns: Sequence[str] | None = None,
        *,
        only: Collection[str] | None = None,
    ) -> Iterator[pa.RecordBatch]:
        """Outcomes of the snapshot's partition, oldest part first, of every generation up to this one.

        Only parts whose outcomes were made under the same `Snapshot.rules`. An account can occur
        several times (the last one counts) and may not be in the snapshot any more (then ignore it).

        Args:
            snapshot: the snapshot the outcomes are wanted for.
            columns: names of OUTCOME_SCHEMA to keep, None for all.
            only: keys of the parts to read, None for all.

        Raises:
            Tampered: a part is not what was sealed, or is missing from the row of part numbers.
        """


@dataclass(frozen=True)
class RecipientKey:
    """Whom a report is sealed to: an RSA public key.

    Attributes:
        fingerprint: SHA-256 of the key's SubjectPublicKeyInfo, 64 hex digits; the recipient's name.
        pem: SubjectPublicKeyInfo in PEM.
    """

    fingerprint: str
    pem: bytes


@dataclass(frozen=True)
class RecipientPrivateKey:
    """What a recipient opens reports with; never on the host that makes them.

    Attributes:
        fingerprint: of the public half, as in RecipientKey.
        pem: PKCS #8 in PEM, not encrypted.
    """

    fingerprint: str
    pem: bytes = field(repr=False)


class Signer(Protocol):
    """Signs publications; the private key stays inside."""

    @property
    def name(self) -> str:
        """Fingerprint of the public half: SHA-256 of its SubjectPublicKeyInfo, 64 hex digits."""

    def sign(self, statement: bytes) -> bytes:
        """The signature of `statement` (of at most 4,096 bytes: what a KMS takes).

        Raises:
            Refused: the statement is too long, or the key may not sign.
        """


class Keyring(Protocol):
    """Public keys that entries of the chain may be signed by, each with what it may sign and when."""

    def objection(self, key_name: str, kind: str, sequence: int, statement: bytes, signature: bytes) -> str:
        """Why an entry of `kind` at `sequence`, signed so, must not be believed; "" if it may be.

        One sentence part: the key is unknown, not valid there, revoked or not allowed to sign this kind,
        or the signature is not that of `statement` by the key of that name. Never raises.
        """


class History(Protocol):
    """What was published and how runs went: cleared aggregates, only ever added to.

    Raises StoreUnavailable when the database does not answer or is full, on every method.
    """

    def record_publication(self, published: PublishedReport, figures: ClearFigures) -> None:
        """Remember a publication with its cleared figures, both or none.

        One that is known already (same date, version and chain entry) is left as it was first
        recorded, so that re-materializing changes nothing; figures are added where it has none.
        """

    def record_details(self, published: PublishedReport, details: Mapping[str, object]) -> None:
        """Keep what is shown of a recorded publication beside its figures, a JSON object, once.

        A second one for the same publication changes nothing.
        """

    def details(self, published: PublishedReport) -> Mapping[str, Any] | None:
        """What `record_details` kept of that publication, None if nothing."""

    def versions(self, report_date: date) -> list[PastReport]:
        """Every version of that date's report, oldest first."""

    def trend(self, names: Collection[str], since: date) -> list[PastReport]:
        """The newest version of every date from `since` on, ascending, with only those figures."""

    def recorded_publications(self) -> Mapping[str, tuple[date, int]]:
        """Date and version of every publication that was recorded, by its chain entry's SHA-256."""

    def latest(self, report_date: date) -> PastReport | None:
        """The newest version of that date's report, None if it was never published.

        What a restore of the store has lost does not count, here and below.
        """

    def latest_before(self, report_date: date) -> PastReport | None:
        """The newest version of the latest report dated before `report_date`."""

    def record_run(self, run: RunRecord) -> None:
        """Remember how a run went; a second record of the same run, date and status changes nothing."""

    def runs_since(self, moment: datetime) -> list[RunRecord]:
        """Every record of a run that started then or later, oldest start first; a run has one a status."""

    def run_totals(self) -> RunTotals:
        """All recorded runs, added up."""

    def head(self) -> ChainHead | None:
        """The newest chain entry that was remembered."""

    def remember_head(self, head: ChainHead, *, restored: bool = False) -> None:
        """Remember the chain's head. An older one than is known already changes nothing.

        Args:
            head: the newest entry, verified by the caller.
            restored: the store was restored from a backup and a `restore` entry says so: take `head`
                whatever was remembered.

        Raises:
            Tampered: another entry of the same sequence was remembered.
        """

    def first_publication_date(self) -> date | None:
        """The earliest date that has a published report."""

    def published_dates(self, since: date) -> list[date]:
        """Dates from `since` on that have a published report, ascending."""

    def recorded_since(self, moment: datetime) -> list[PastReport]:
        """Every version of any date that was recorded at `moment` or later, oldest first; no figures."""
