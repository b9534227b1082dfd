"""A report's accounts held against those of earlier dates, for as long as this host can open them.

Each earlier date is opened once, and let go before the next: a book of a million accounts is held twice at
most. What may be told of the result is `esg_assets.core.differencing` and
`esg_assets.core.change_disclosure`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from esg_assets.core.accounts import Snapshot
from esg_assets.core.change import (
    Attribution,
    Migration,
    Side,
    Turnover,
    attribution,
    migration,
    side,
    turnover,
)
from esg_assets.core.differencing import contributions, differing
from esg_assets.core.drift import drift
from esg_assets.core.errors import EsgError
from esg_assets.core.figures import FigureRules
from esg_assets.core.outcomes import OUTCOME_SCHEMA, SCORE_COLUMNS
from esg_assets.core.ports import RatingsParts, Snapshots
from esg_assets.core.publication import Publication
from esg_assets.core.ratings import Metric
from esg_assets.core.verdicts import Verdict

LOOKED_AT = [
    *("account_id", "status", *SCORE_COLUMNS, "primary_focus", "rating"),
    *("coverage_pct", "rating_as_of", "metrics", "methodology_version"),
]
"""Columns of outcomes that comparisons need."""

PIECE = 65_536

MEANS = {"overall_score.mean": False, "overall_score.weighted_mean": True}
"""The means that are attributed, by name of figure; whether by market value."""


@dataclass(frozen=True)
class Compared:
    """What a report's accounts are against those of an earlier date; exact.

    Attributes:
        differing: how many accounts differ, by group of figures.
        turnover, migration: who came and went, and how letters moved.
        means: why each of MEANS moved; only those that can be worked out.
        drift: whether the ratings look like the earlier ones.
    """

    differing: Mapping[str, int]
    turnover: Turnover
    migration: Migration
    means: Mapping[str, Attribution]
    drift: Verdict


class EarlierReports:
    """Compares a report with earlier dates.

    Args:
        snapshot: the report's accounts.
        now: their outcomes, one row for each (`esg_assets.core.outcomes.latest`).
        currency: of the market-value weights.
        rules: how figures are made, by date asked for and metrics.
        snapshots, parts: where earlier dates are.
        published: every version of a date's report, oldest first.
        version: of this report; versions of its own date from this one on are not earlier.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        now: pa.Table,
        currency: str,
        rules: Callable[[date, tuple[Metric, ...]], FigureRules],
        snapshots: Snapshots,
        parts: RatingsParts,
        published: Callable[[date], Sequence[Publication]] = lambda _: (),
        version: int = 1,
    ) -> None:
        self._now = snapshot, now
        self._ids = snapshot.accounts.column("account_id").combine_chunks()
        self._currency = currency
        self._rules = rules
        self._snapshots = snapshots
        self._parts = parts
        self._published = published
        self._version = version
        self._codes: dict[str, int] = {}
        self._found: dict[date, Compared | None] = {}
        self._differing: dict[date, Mapping[str, int] | None] = {}

    def differing(self, day: date) -> Mapping[str, int] | None:
        """Accounts that differ from that date's, by group; None if its working data cannot be opened.

        Of several versions of that date the fewest that differ from any but are not none.
        """
        if day not in self._differing:
            self._differing[day] = self._least(day)
        return self._differing[day]

    def _least(self, day: date) -> Mapping[str, int] | None:
        own = day == self._now[0].partition
        versions = self._published(day)
        earlier = [each for each in versions if each.version < self._version] if own else versions[:-1]
        newest = None if own else self.compared(day)
        found = [] if own else [None if newest is None else newest.differing]
        found += [self._from_version(each) for each in earlier]
        known = [each for each in found if each is not None]
        if not known or len(known) < len(found):
            return None
        return {group: min(filter(None, (each[group] for each in known)), default=0) for group in known[0]}

    def _from_version(self, publication: Publication) -> Mapping[str, int] | None:
        """Accounts that differ from those of one version, which its entry names the parts of."""
        try:
            snapshot = self._snapshots.generation(publication.date, publication.snapshot_generation)
            if snapshot.commitment != publication.snapshot_commitment:
                return None
            only = {part.key for part in publication.parts}
            outcomes = self._parts.read(snapshot, LOOKED_AT, only=only)
            then = self._both(snapshot, outcomes, sides=False)[0]
        except EsgError:  # archived, or damaged: that is told where it matters
            return None
        pa.default_memory_pool().release_unused()
        later = self._both(self._now[0], iter([self._now[1].select(LOOKED_AT)]), sides=False)[0]
        return differing(later, then)

    def compared(self, day: date) -> Compared | None:
        """The comparison with that date; None if its working data cannot be opened."""
        if day not in self._found:
            self._found[day] = self._compare(day)
        return self._found[day]

    def _compare(self, day: date) -> Compared | None:
        try:
            earlier = self._earlier(day)
        except EsgError:  # archived, or damaged: that is told where it matters
            return None
        if earlier is None:
            return None
        then, old = earlier
        del earlier
        pa.default_memory_pool().release_unused()
        later = self._both(self._now[0], iter([self._now[1].select(LOOKED_AT)]), sides=False)[0]
        differ = differing(later, then)
        del then, later
        new = self._both(self._now[0], iter([self._now[1].select(LOOKED_AT)]), contributing=False)[1]
        means = {name: attribution(old, new, name.partition(".")[0], weighted=w) for name, w in MEANS.items()}
        return Compared(
            differing=differ,
            turnover=turnover(old, new),
            migration=migration(old, new),
            means={name: found for name, found in means.items() if found is not None},
            drift=drift(old, new, day),
        )

    def _earlier(self, day: date) -> tuple[pd.DataFrame, Side] | None:
        """Contributions and side of an earlier report; None if there is none."""
        snapshot = self._snapshots.latest(day)
        if snapshot is None:
            return None
        return self._both(snapshot, self._parts.read(snapshot, LOOKED_AT))

    def _both(
        self,
        snapshot: Snapshot,
        outcomes: Iterable[pa.RecordBatch | pa.Table],
        *,
        contributing: bool = True,
        sides: bool = True,
    ) -> tuple[pd.DataFrame, Side]:
        """Contributions and side of a report, piece by piece: texts are never held whole.

        Args:
            snapshot: its accounts.
            outcomes: theirs, oldest first.
            contributing: whether contributions are wanted; else they are left empty.
            sides: whether the side is wanted, likewise.
        """
        accounts = snapshot.accounts.select(["account_id", "market_value", "base_currency"])
        ids, numbers = accounts.column("account_id").combine_chunks(), self._numbers(snapshot)
        accounts = accounts.set_column(0, "account_id", numbers)
        rules, index = self._rules(snapshot.as_of, snapshot.metrics), pd.Index(numbers.to_numpy())
        put, standing = _Rows(index, self._codes), _Rows(index)
        for piece in _pieces(outcomes):
            places = pc.index_in(piece.column("account_id"), value_set=ids).combine_chunks()
            known, of = piece.filter(places.is_valid()), places.drop_null()
            if contributing:
                put.set(of, contributions(numbers.take(of), known, rules))
            if sides:
                standing.set(of, side(accounts.take(of), known, rules, self._currency).frame)
        return put.frame(), Side(standing.frame(), self._currency)

    def _numbers(self, snapshot: Snapshot) -> pa.ChunkedArray:
        """A number for each account: its place in this report, or one after all of these.

        A million ids as Python texts would take 70 MB for each table that is made by them.
        """
        ids = snapshot.accounts.column("account_id").combine_chunks()
        places = pc.index_in(ids, value_set=self._ids)
        missing = np.asarray(places.is_null())
        numbers = pc.fill_null(places, 0).to_numpy(zero_copy_only=False).astype(np.int64)
        numbers[missing] = len(self._ids) + np.arange(int(missing.sum()))
        return pa.chunked_array([pa.array(numbers)])


class _Rows:
    """A table that is filled in by rows; what never comes stays empty.

    Args:
        index: of the rows.
        codes: by text a number that stands for it, to be added to; None keeps texts.
    """

    def __init__(self, index: pd.Index, codes: dict[str, int] | None = None) -> None:
        self._index = index
        self._codes = codes
        self._columns: dict[str, Any] = {}

    def set(self, places: pa.Array, frame: pd.DataFrame) -> None:
        """Put rows at their places; of a place that comes twice the later row stays."""
        positions = places.to_numpy(zero_copy_only=False)
        for name in frame.columns:
            values = frame[name].to_numpy()
            if values.dtype.kind == "O" and self._codes is not None:
                values = self._numbered(values, self._codes)
            if name not in self._columns:
                empty = {"f": np.nan, "b": False}.get(values.dtype.kind)
                self._columns[name] = np.full(len(self._index), empty, dtype=values.dtype)
            self._columns[name][positions] = values

    def frame(self) -> pd.DataFrame:
        return pd.DataFrame(self._columns, index=self._index, copy=False)

    def _numbered(self, texts: Any, codes: dict[str, int]) -> Any:
        """A number for each text, the same for the same; NaN for None. Half the size of a reference."""
        of_piece, words = pd.factorize(texts)
        known = [codes.setdefault(str(word), len(codes)) for word in words]
        return np.array([*known, np.nan], dtype=np.float32)[of_piece]  # -1, for None, is the last


def _pieces(outcomes: Iterable[pa.RecordBatch | pa.Table]) -> Iterator[pa.Table]:
    """Outcomes in tables of some PIECE rows; an empty one comes first, for the columns' types."""
    schema = pa.schema([OUTCOME_SCHEMA.field(name).with_nullable(nullable=True) for name in LOOKED_AT])
    yield schema.empty_table()
    held: list[pa.RecordBatch] = []
    for each in outcomes:
        for batch in each.to_batches(PIECE) if isinstance(each, pa.Table) else [each]:
            held.append(batch)
            if sum(one.num_rows for one in held) >= PIECE:
                yield pa.Table.from_batches(held)
                held = []
    if held:
        yield pa.Table.from_batches(held)
