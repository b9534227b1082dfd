"""The day's accounts: the frozen snapshot and its columns.

Reading the account system's rows into a snapshot, with every refusal, lives in
`esg_assets.core.account_rows`.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import date

import pyarrow as pa

from esg_assets.core.ratings import Metric

ACCOUNT_SCHEMA = pa.schema(
    [
        pa.field("account_id", pa.string(), nullable=False),
        pa.field("account_name", pa.string()),
        pa.field("account_type", pa.string()),
        pa.field("base_currency", pa.string()),
        # The number's text: exact whatever its scale, and the report repeats it as it is.
        pa.field("market_value", pa.string()),
    ]
)
"""Columns of a snapshot; rows ascend by account_id (Unicode code points), ids are unique."""


@dataclass(frozen=True)
class Snapshot:
    """The active accounts that one report is about, frozen with the rules they are asked by.

    Attributes:
        partition: the report's date.
        generation: 1 for the first snapshot of the partition; `--refresh-snapshot` makes the next.
            0 while it is not stored yet.
        as_of: the date both systems are asked for.
        accounts_as_of: as of when the accounts are: `as_of` as an ISO date, or, from a source that
            keeps no history, the time of asking as an ISO timestamp in UTC.
        accounts: rows of ACCOUNT_SCHEMA.
        metrics: ESG_METRICS in force.
        mapping: ESG_API_MAPPING in force, as its canonical text; "" for the contract's shape.
        salt: 32 random bytes that keep the commitment from being guessed.
    """

    partition: date
    generation: int
    as_of: date
    accounts_as_of: str
    accounts: pa.Table
    metrics: tuple[Metric, ...]
    mapping: str
    salt: bytes

    @property
    def count(self) -> int:
        """How many accounts the report must have."""
        return int(self.accounts.num_rows)

    @property
    def commitment(self) -> str:
        """Salted digest of the content (64 hex digits): may stand in the clear, tells nothing."""
        digest = hmac.new(self.salt, digestmod=hashlib.sha256)
        digest.update(f"{self.partition}|{self.as_of}|{self.accounts_as_of}|{self.rules}".encode())
        for column in self.accounts.combine_chunks().itercolumns():
            for value in column:
                text = value.as_py()
                digest.update(b"\0" if text is None else b"\1" + text.encode() + b"\0")
        return digest.hexdigest()

    @property
    def rules(self) -> str:
        """Digest of what decides how replies are read; outcomes under other rules are not used."""
        text = "\n".join([self.as_of.isoformat(), self.mapping, *(str(m) for m in self.metrics)])
        return hashlib.sha256(text.encode()).hexdigest()
