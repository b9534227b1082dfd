"""From the rows of an account system to the sorted accounts of a snapshot, with every refusal.

Which field of the source is which, and what counts as active, is in `AccountMapping`; number texts are
made in `esg_assets.core.amounts`. Fetching the rows lives in `esg_assets.adapters.account_sources`;
whether the number of accounts is plausible in `esg_assets.core.verdicts`.

Problems name rows, columns and reasons, never a value: they end in logs and check results.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from esg_assets.core.account_mapping import CONTRACT_MAPPING, AccountMapping
from esg_assets.core.accounts import ACCOUNT_SCHEMA
from esg_assets.core.amounts import NotAnAmount, amount_text
from esg_assets.core.errors import AccountsRefused, RowProblem

LONGEST_ID = 64
"""Characters (Unicode code points) of an account_id at most."""

MOST_PROBLEMS = 20
"""Problems kept one by one; further ones are only counted."""

_CURRENCY = re.compile(r"[A-Z]{3}")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_KINDS = {
    bool: "a truth value",
    int: "a whole number",
    float: "a number",
    Decimal: "a number",
    bytes: "bytes",
}


class _Wrong(Exception):
    """A value breaks its column's rule; the text goes on after the column's name."""


class AccountsBuilder:
    """Gathers the rows of one list, batch by batch, and makes the snapshot's table of them.

    A row that is not active is judged by its account_id and status only: it is left out of the table,
    but an id that stands twice in the list is a problem whatever the two rows' status.
    """

    def __init__(self, mapping: AccountMapping = CONTRACT_MAPPING, what: str = "the account list") -> None:
        """
        Args:
            mapping: the source's field names and active status values.
            what: how messages call the list, such as "the accounts as of 2026-01-14".
        """
        self._mapping = mapping
        self._what = what
        self._tables: list[pa.Table] = []
        self._received = 0
        self._problems = _Problems()

    @property
    def received(self) -> int:
        """Rows received so far, active or not."""
        return self._received

    @property
    def problem_count(self) -> int:
        """Problems found so far, also those that are not kept one by one."""
        return self._problems.count

    def add(self, rows: Sequence[Mapping[str, object]]) -> None:
        """Take the next rows of the list, under the source's field names. Never raises for their content."""
        everyone = [True] * len(rows)
        ids = self._column(rows, everyone, "account_id", _account_id, required=True)
        known = self._mapping.known

        def status_of(value: object) -> str:
            status = _text(value)
            if known is not None and status not in known:
                raise _Wrong(f"is none of {', '.join(sorted(known))}")
            return status

        statuses = self._column(rows, everyone, "status", status_of, required=True)
        active = [status in self._mapping.active for status in statuses]
        columns = [
            ids,
            *(self._column(rows, active, name, read) for name, read in _OPTIONAL.items()),
            active,
        ]
        self._received += len(rows)
        arrays = [pa.array(c, f.type) for c, f in zip(columns, _GATHERED, strict=True)]
        self._tables.append(pa.Table.from_arrays(arrays, schema=_GATHERED))

    def _column(
        self,
        rows: Sequence[Mapping[str, object]],
        wanted: Sequence[bool],
        name: str,
        read: Callable[[object], str],
        *,
        required: bool = False,
    ) -> list[str | None]:
        """One column of the rows that are wanted; None where there is no value or a problem."""
        source = self._mapping.source_of(name)
        texts: list[str | None] = [None] * len(rows)
        if source is None:
            return texts
        for i, row in enumerate(rows):
            if not wanted[i]:
                continue
            value = row.get(source)
            try:
                if value is not None and value != "":
                    texts[i] = read(value)
                elif required:
                    raise _Wrong("is empty" if source in row else "is missing")  # noqa: TRY301  # one place notes problems
            except _Wrong as wrong:
                self._problems.add(RowProblem(self._received + i + 1, name, f"{name} {wrong}"))
        return texts

    def build(self) -> pa.Table:
        """The active accounts: rows of ACCOUNT_SCHEMA, ascending by account_id (code points).

        Raises:
            AccountsRefused: rows break a rule, an id stands twice, or there is no active row; with at
                most MOST_PROBLEMS problems, those of the first rows.
        """
        rows = pa.concat_tables(self._tables) if self._tables else _GATHERED.empty_table()
        # Arrow compares UTF-8 bytes, which is the order of the code points; and it sorts stably.
        order = pc.sort_indices(rows.column("account_id"))
        self._note_duplicates(rows.column("account_id"), order)
        if not self._problems.count and not pc.any(rows.column("active")).as_py():
            self._problems.add(RowProblem(0, "", self._nobody()))
        if self._problems.count:
            raise AccountsRefused(self._refusal(), self._problems.first())
        kept = order.filter(rows.column("active").take(order))
        table = rows.drop_columns(["active"]).take(kept).combine_chunks()
        return table.cast(ACCOUNT_SCHEMA)

    def _note_duplicates(self, ids: pa.ChunkedArray, order: pa.Array) -> None:
        ordered = ids.take(order).combine_chunks()
        same = pc.equal(ordered.slice(1), ordered.slice(0, max(len(ordered) - 1, 0)))
        for place in pc.indices_nonzero(same).to_pylist():
            first, second = order[place].as_py() + 1, order[place + 1].as_py() + 1
            reason = f"account_id is the same as in row {first:,}"
            self._problems.add(RowProblem(second, "account_id", reason))

    def _nobody(self) -> str:
        if not self._received:
            return "the source sent no rows"
        return f"none of the {self._received:,} rows is active"

    def _refusal(self) -> str:
        count, first = self._problems.count, self._problems.first()
        listed = "; ".join(str(problem) for problem in first)
        more = f" (the first {len(first)} are listed)" if count > len(first) else ""
        problems = "1 problem" if count == 1 else f"{count:,} problems"
        return (
            f"Reading {self._what}: {problems} in {self._received:,} rows{more}: {listed}. "
            "Nothing was stored. Have the list corrected at its source and run the date again."
        )


@dataclass
class _Problems:
    """All problems counted, those of the first rows kept."""

    count: int = 0

    def __post_init__(self) -> None:
        self._kept: list[RowProblem] = []

    def add(self, problem: RowProblem) -> None:
        self.count += 1
        self._kept.append(problem)
        if len(self._kept) >= 50 * MOST_PROBLEMS:
            self._kept = self.first()

    def first(self) -> list[RowProblem]:
        return sorted(self._kept, key=lambda p: (p.row, p.field))[:MOST_PROBLEMS]


def _text(value: object) -> str:
    if not isinstance(value, str):
        kind = _KINDS.get(type(value), "of another type")
        raise _Wrong(f"is {kind}, text is wanted: cast it at the source")
    if not value.isascii() and _SURROGATE.search(value):
        raise _Wrong("holds half of a surrogate pair, which is no text")
    return value


def _account_id(value: object) -> str:
    if not isinstance(value, str):
        # Not converted: whatever made it a number may have dropped leading zeros already.
        _text(value)
    assert isinstance(value, str)
    if len(value) > LONGEST_ID:
        raise _Wrong(f"is longer than {LONGEST_ID} characters")
    if not value.isprintable():  # exactly: no category C, no category Z but the plain space
        raise _Wrong("holds a control, format, unassigned or separator character")
    return value


def _currency(value: object) -> str:
    text = _text(value)
    if not _CURRENCY.fullmatch(text):
        raise _Wrong("is not three letters A-Z")
    return text


def _amount(value: object) -> str:
    try:
        return amount_text(value)
    except NotAnAmount as error:
        raise _Wrong(str(error)) from None


_OPTIONAL: Mapping[str, Callable[[object], str]] = {
    "account_name": _text,
    "account_type": _text,
    "base_currency": _currency,
    "market_value": _amount,
}

_GATHERED = pa.schema([*(pa.field(f.name, f.type) for f in ACCOUNT_SCHEMA), pa.field("active", pa.bool_())])
"""As ACCOUNT_SCHEMA, for every row received: an id that is a problem is null here."""
