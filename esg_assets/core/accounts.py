"""The day's accounts: the frozen snapshot and its columns.

Reading the account system's rows into a snapshot, with every refusal, lives in
`esg_assets.core.account_rows`.
"""

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc

from esg_assets.core import canonical_json
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

    @cached_property
    def commitment(self) -> str:
        """Salted digest of the content (64 hex digits): may stand in the clear, tells nothing.

        HMAC-SHA256, keyed with the salt, over a canonical JSON line that says what follows, and then
        for each column the presence (one byte), the length (4 bytes, little-endian; 0 where absent)
        and the UTF-8 text of every row: three runs, so that no value can pass for another.
        """
        told = {
            "domain": "esg_assets/snapshot",
            "partition": self.partition.isoformat(),
            "as_of": self.as_of.isoformat(),
            "accounts_as_of": self.accounts_as_of,
            "rules": self.rules,
            "columns": self.accounts.column_names,
            "rows": self.count,
        }
        digest = hmac.new(self.salt, canonical_json.dumps(told) + b"\n", hashlib.sha256)
        for column in self.accounts.itercolumns():
            for run in _runs(column):
                digest.update(run)
        return digest.hexdigest()

    @property
    def rules(self) -> str:
        """Digest of what decides how replies are read; outcomes under other rules are not used."""
        text = "\n".join([self.as_of.isoformat(), self.mapping, *(str(m) for m in self.metrics)])
        return hashlib.sha256(text.encode()).hexdigest()


def _runs(column: pa.ChunkedArray) -> Iterator[memoryview]:
    """Presence, lengths and texts of a column of strings; the same bytes however it is chunked."""
    chunks = [chunk.cast(pa.string()) for chunk in column.chunks if len(chunk)]
    for chunk in chunks:
        yield _fixed_width(pc.is_valid(chunk).cast(pa.uint8()), 1)
    for chunk in chunks:
        yield _fixed_width(pc.fill_null(pc.binary_length(chunk), 0), 4)
    for chunk in chunks:
        text = pc.fill_null(chunk, "")  # what a buffer holds below a null is nobody's value
        _, offsets, data = text.buffers()
        if data is not None:
            offset = memoryview(offsets).cast("i")
            yield memoryview(data)[offset[text.offset] : offset[text.offset + len(text)]]


def _fixed_width(values: pa.Array, width: int) -> memoryview:
    return memoryview(values.buffers()[1])[values.offset * width : (values.offset + len(values)) * width]
