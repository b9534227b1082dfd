"""The day's figures, exact: counts, rates, means, quartiles and distributions of one report.

What of them may be seen in the clear is decided in `esg_assets.core.disclosure`; how they are told
in `esg_assets.core.summary` and `esg_assets.core.summary_words`.

Rules, each of which changes a figure:

* Averages (scores and further metrics) are over SUCCESS accounts with enough coverage. A rating
  without coverage_pct is included and counted as such: a provider that never sends coverage would
  otherwise have no averages at all.
* An account without a score is left out of that score's figures; it is never a zero.
* Distributions (primary focus, letter, age, version of the provider's methodology) are over every
  SUCCESS account: low coverage keeps scores out of averages, not accounts out of the book.
* Amounts in different currencies are never added. Market-value weights are those of the accounts in
  the one currency that most of them have (the alphabetically first of equals; accounts without a
  currency are a group of their own, ""); the others are counted as left out.
* A weight is a market value above zero; zero, negative and unknown ones are counted as left out.

Neither the order of the accounts nor the cut into batches changes a bit of the result. The arithmetic
is in `esg_assets.core.averages`.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from esg_assets.core.averages import Average, Floats, Spread, average, spread
from esg_assets.core.outcomes import SCORE_COLUMNS
from esg_assets.core.ratings import Metric, Reason, Status

# Arrow also reads "nan", "inf" and "+5"; none of them is a JSON number.
_NUMBER = r"^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$"

BINS, BIN_POINTS = 20, 5
"""Of the histogram of overall scores."""


@dataclass(frozen=True)
class FigureRules:
    """The settings that figures depend on.

    Attributes:
        as_of: the date that was asked for; ages of ratings are counted from it.
        min_coverage_pct: ESG_MIN_COVERAGE_PCT, 0 to 100.
        max_rating_age_days: ESG_MAX_RATING_AGE_DAYS; a rating older than this is stale.
        metrics: ESG_METRICS.
    """

    as_of: date
    min_coverage_pct: float = 65.0
    max_rating_age_days: int = 366
    metrics: tuple[Metric, ...] = ()


@dataclass(frozen=True)
class Weighting:
    """Which of the accounts that count for averages carry market-value weights; parts add up to all."""

    currency: str
    accounts: int
    other_currency: int
    not_positive: int
    unknown_market_value: int


@dataclass(frozen=True)
class Figures:
    """Exact figures of one report; sealed to the recipients, never shown as they are.

    Attributes:
        rules: what they were made by.
        accounts: all accounts of the snapshot.
        by_status: all three statuses; they add up to `accounts`.
        failures: FAILED accounts by reason; only reasons that occur.
        enough_coverage, unknown_coverage, below_coverage: SUCCESS accounts; the first two count for
            averages.
        scores: by name of SCORE_COLUMNS.
        focus: SUCCESS accounts by primary focus, "" where there is none.
        letters: SUCCESS accounts by rating letter, "" where there is none.
        current_ratings, stale_ratings, undated_ratings: SUCCESS accounts by age of the rating.
        metrics: by name.
        methodologies: SUCCESS accounts by version of the provider's methodology, "" where none is stated.
        unknown_market_value: accounts of any status whose market value is absent or no number.
        histogram: accounts that count for averages by overall score: BINS bins of BIN_POINTS points from
            0; a full 100 is in the last one.
    """

    rules: FigureRules
    accounts: int
    by_status: Mapping[Status, int]
    failures: Mapping[Reason, int]
    enough_coverage: int
    unknown_coverage: int
    below_coverage: int
    scores: Mapping[str, Spread]
    weighting: Weighting
    focus: Mapping[str, int]
    letters: Mapping[str, int]
    current_ratings: int
    stale_ratings: int
    undated_ratings: int
    metrics: Mapping[str, Average]
    unknown_market_value: int
    methodologies: Mapping[str, int] = field(default_factory=dict)
    histogram: tuple[int, ...] = (0,) * BINS

    @property
    def scored_accounts(self) -> int:
        """Accounts that count for averages."""
        return self.enough_coverage + self.unknown_coverage

    @property
    def success_rate(self) -> float | None:
        """Share of SUCCESS accounts, 0 to 1; None without accounts."""
        return self.by_status[Status.SUCCESS] / self.accounts if self.accounts else None


def side_by_side(accounts: pa.Table, outcomes: pa.Table) -> Iterator[pa.RecordBatch]:
    """Batches with the columns of both, for `Tally.add`.

    Args:
        accounts: rows of ACCOUNT_SCHEMA.
        outcomes: rows of OUTCOME_SCHEMA (with or without `raw`), one for each account, in the same
            order (`esg_assets.core.outcomes.latest`).
    """
    table = outcomes
    for name in ("market_value", "base_currency"):
        table = table.append_column(name, accounts.column(name))
    yield from table.to_batches(max_chunksize=65_536)


def figures(batches: Iterable[pa.RecordBatch], rules: FigureRules) -> Figures:
    """Figures of a whole report; see `Tally.add` for the columns."""
    tally = Tally(rules)
    for batch in batches:
        tally.add(batch)
    return tally.figures()


class Tally:
    """Adds a report up, batch by batch.

    Keeps some 50 bytes for each account that counts for averages, and 8 more for each metric.
    """

    def __init__(self, rules: FigureRules) -> None:
        self._rules = rules
        self._status: Counter[str] = Counter()
        self._failures: Counter[str] = Counter()
        self._focus: Counter[str] = Counter()
        self._letters: Counter[str] = Counter()
        self._coverage: Counter[str] = Counter()
        self._age: Counter[str] = Counter()
        self._methodologies: Counter[str] = Counter()
        self._unknown_market_value = 0
        self._kept: dict[str, list[Floats]] = {}
        self._currency: list[pa.Array] = [pa.array([], pa.string())]

    def add(self, batch: pa.RecordBatch) -> None:
        """Count a batch in.

        Args:
            batch: status (never null), reason, the four scores, primary_focus, rating, coverage_pct,
                rating_as_of, metrics and methodology_version as in OUTCOME_SCHEMA; market_value and
                base_currency as in ACCOUNT_SCHEMA. Further columns are ignored.
        """
        table = pa.Table.from_batches([batch]).combine_chunks()
        self._status += _count(table["status"])
        self._failures += _count(table["reason"].filter(pc.equal(table["status"], Status.FAILED.value)))
        self._unknown_market_value += int(np.isnan(numbers(table["market_value"])).sum())
        rated = table.filter(pc.equal(table["status"], Status.SUCCESS.value))
        self._focus += _count(rated["primary_focus"])
        self._letters += _count(rated["rating"])
        self._methodologies += _count(rated["methodology_version"])
        oldest = (self._rules.as_of - timedelta(days=self._rules.max_rating_age_days)).isoformat()
        # ISO dates compare as text just as they do as dates.
        age = pc.if_else(pc.less(rated["rating_as_of"], oldest), "stale", "current")
        self._age += _count(pc.fill_null(age, "undated"))
        coverage = numbers(rated["coverage_pct"])
        below = coverage < self._rules.min_coverage_pct  # an unknown coverage is not below
        unknown = int(np.isnan(coverage).sum())
        self._coverage += Counter(
            below=int(below.sum()), unknown=unknown, enough=len(coverage) - unknown - int(below.sum())
        )
        self._keep(rated.filter(pa.array(~below)))

    def _keep(self, scored: pa.Table) -> None:
        """Hold on to the numbers of accounts that count for averages: medians need them all."""
        for name in (*SCORE_COLUMNS, "market_value"):
            self._kept.setdefault(name, []).append(numbers(scored[name]))
        for metric in self._rules.metrics:
            sent = pc.map_lookup(scored["metrics"].combine_chunks(), pa.scalar(metric.name), "first")
            self._kept.setdefault(f"metric {metric.name}", []).append(numbers(sent))
        self._currency.append(pc.fill_null(scored["base_currency"].combine_chunks(), ""))

    def figures(self) -> Figures:
        """The figures of all batches added so far.

        Raises:
            ValueError: an account has no outcome, or a FAILED one no reason: reconciliation, which
                comes first, lets neither through.
        """
        weights, weighting = self._weights()
        return Figures(
            rules=self._rules,
            accounts=self._status.total(),
            by_status={Status(s): 0 for s in Status} | {Status(s): n for s, n in self._status.items()},
            failures={Reason(reason): n for reason, n in sorted(self._failures.items())},
            enough_coverage=self._coverage["enough"],
            unknown_coverage=self._coverage["unknown"],
            below_coverage=self._coverage["below"],
            scores={name: spread(self._values(name), weights) for name in SCORE_COLUMNS},
            weighting=weighting,
            focus=dict(sorted(self._focus.items())),
            letters=dict(sorted(self._letters.items())),
            current_ratings=self._age["current"],
            stale_ratings=self._age["stale"],
            undated_ratings=self._age["undated"],
            metrics={m.name: average(self._values(f"metric {m.name}")) for m in self._rules.metrics},
            unknown_market_value=self._unknown_market_value,
            methodologies=dict(sorted(self._methodologies.items())),
            histogram=_histogram(self._values(SCORE_COLUMNS[0])),
        )

    def _values(self, name: str) -> Floats:
        return np.concatenate([np.empty(0), *self._kept.get(name, [])])

    def _weights(self) -> tuple[Floats, Weighting]:
        """Weight of each kept account (NaN: none), and who has one."""
        values = self._values("market_value")
        codes = pa.chunked_array(self._currency).combine_chunks().dictionary_encode()
        names, code = codes.dictionary.to_pylist(), codes.indices.to_numpy(zero_copy_only=False)
        usable = values > 0
        held = Counter(code[usable].tolist())
        chosen = min(held, key=lambda c: (-held[c], names[c]), default=-1)
        weighted = usable & (code == chosen)
        weighting = Weighting(
            currency=names[chosen] if held else "",
            accounts=int(weighted.sum()),
            other_currency=int((usable & ~weighted).sum()),
            not_positive=int((values <= 0).sum()),
            unknown_market_value=int(np.isnan(values).sum()),
        )
        return np.where(weighted, values, np.nan), weighting


def _histogram(scores: Floats) -> tuple[int, ...]:
    there = scores[np.isfinite(scores)]
    bins = np.minimum(there // BIN_POINTS, BINS - 1).astype(np.int64)
    return tuple(np.bincount(bins, minlength=BINS).tolist())


def _count(column: pa.Array) -> Counter[str]:
    found = pc.value_counts(pc.fill_null(column, "")).to_pylist()
    return Counter({f["values"]: f["counts"] for f in found})


def numbers(column: pa.Array) -> Floats:
    """Number texts as floats; NaN for what is absent or no finite number."""
    text = pc.if_else(pc.match_substring_regex(column, _NUMBER), column, pa.scalar(None, pa.string()))
    numbers = np.asarray(pc.fill_null(pc.cast(text, pa.float64()), math.nan), dtype=np.float64)
    return np.where(np.isfinite(numbers), numbers, np.nan)


def texts(column: pa.Array) -> npt.NDArray[np.object_]:
    """Texts as Python objects, one object for each that occurs; None where null.

    pyarrow's own conversion makes an object for each row: 70 MB for a column of a million.
    """
    encoded = column.dictionary_encode()
    words = np.array([*encoded.dictionary.to_pylist(), None], dtype=object)
    codes = pc.fill_null(encoded.indices, len(words) - 1)
    found: npt.NDArray[np.object_] = words[codes.to_numpy(zero_copy_only=False)]
    return found
