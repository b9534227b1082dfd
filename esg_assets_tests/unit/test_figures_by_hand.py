"""Every figure of golden/book.csv, and every part of a change, as golden/figures_by_hand.md works them out.

The document is the expectation: its sums are done again here, and each result is compared with the
program's.
"""

import ast
import csv
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from fractions import Fraction
from pathlib import Path

import pyarrow as pa
import pytest

from esg_assets.core.accounts import ACCOUNT_SCHEMA
from esg_assets.core.change import Side, attribution, migration, side, turnover
from esg_assets.core.disclosure import FAILURE_REASONS, clear
from esg_assets.core.figures import FigureRules, Figures, figures, side_by_side
from esg_assets.core.outcomes import OUTCOME_SCHEMA, SCORE_COLUMNS
from esg_assets.core.ratings import Metric

GOLDEN = Path(__file__).parent / "golden"
METRICS = (
    Metric("waci", "tCO2e/MUSD", "lower"),
    Metric("severe_controversies", "count", "lower"),
)
RULES = FigureRules(date(2026, 1, 14), 65.0, 366, METRICS)
MIN_CELL = 2


def _tables(*head: str) -> list[list[str]]:
    """Rows of all tables of the document that have this head."""
    found, inside = [], False
    for line in (GOLDEN / "figures_by_hand.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("|"):
            inside = False
        elif cells == list(head):
            inside = True
        elif inside and not line.startswith("|---"):
            found.append(cells)
    assert found, head
    return found


_OPERATORS: Mapping[type, Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}


def _done(node: ast.expr) -> Fraction:
    if isinstance(node, ast.BinOp):
        return _OPERATORS[type(node.op)](_done(node.left), _done(node.right))
    assert isinstance(node, ast.Constant)
    return Fraction(str(node.value))


def worked_out(text: str) -> Fraction:
    """What a cell "worked out" comes to: the number of the accounts in it, or the sum, without rounding."""
    if text == "nobody":
        return Fraction(0)
    if re.fullmatch(r"([AB]\d+ ?)+", text):
        assert len(set(text.split())) == len(text.split()), text
        return Fraction(len(text.split()))
    return _done(ast.parse(text, mode="eval").body)


def _book(name: str, day: str = "") -> tuple[pa.Table, pa.Table]:
    """Accounts and outcomes of a CSV."""
    with (GOLDEN / name).open(encoding="utf-8", newline="") as file:
        rows = [{k: v or None for k, v in row.items()} for row in csv.DictReader(file)]
    rows = [row for row in rows if not day or row["day"] == day]
    told = [
        row
        | {
            "attempts": 1,
            "metrics": [(m.name, row[m.name]) for m in METRICS if row[m.name] is not None],
            "raw": b"",
        }
        for row in rows
    ]
    nullable = [field.with_nullable(nullable=True) for field in ACCOUNT_SCHEMA]
    return (
        pa.Table.from_pylist(rows, schema=pa.schema(nullable)),
        pa.Table.from_pylist(told, schema=OUTCOME_SCHEMA),
    )


def _made() -> Figures:
    return figures(side_by_side(*_book("book.csv")), RULES)


def _exact(found: Figures) -> Iterator[tuple[str, float | None]]:
    """Every exact figure, under the names of the document."""
    yield "accounts", found.accounts
    yield from ((f"accounts.{status}", n) for status, n in found.by_status.items())
    yield "success_rate_pct", None if found.success_rate is None else 100 * found.success_rate
    yield from ((f"failures.{reason}", found.failures.get(reason, 0)) for reason in FAILURE_REASONS)
    for kind in ("enough", "unknown", "below"):
        yield f"coverage.{kind}", getattr(found, f"{kind}_coverage")
    yield "scored_accounts", found.scored_accounts
    for score, spread in found.scores.items():
        yield from ((f"{score}.{name}", value) for name, value in vars(spread).items())
    yield from ((f"weighting.{name}", n) for name, n in vars(found.weighting).items() if name != "currency")
    yield "market_value.unknown", found.unknown_market_value
    yield "market_value.known", found.accounts - found.unknown_market_value
    for metric, average in found.metrics.items():
        yield from ((f"metric.{metric}.{name}", value) for name, value in vars(average).items())
    yield from ((f"focus.{name}", n) for name, n in found.focus.items())
    yield from ((f"letter.{name or 'none'}", n) for name, n in {"B": 0, **found.letters}.items())
    for age in ("current", "stale", "undated"):
        yield f"ratings.{age}", getattr(found, f"{age}_ratings")
    yield from ((f"methodology.{name or 'none'}", n) for name, n in found.methodologies.items())
    yield from ((f"histogram.overall.{5 * n:02d}", count) for n, count in enumerate(found.histogram))


def test_every_exact_figure_is_the_one_worked_out_by_hand() -> None:
    told = {row[0]: row[1:] for row in _tables("figure", "worked out", "exact", "shown")}
    found = dict(_exact(_made()))
    assert set(found) == set(told)
    for name, (sum_, exact, _) in told.items():
        assert float(worked_out(sum_)) == pytest.approx(float(exact), abs=5e-7), name
        assert found[name] == pytest.approx(float(worked_out(sum_)), abs=1e-9), name
    assert _made().weighting.currency == "USD"


def test_every_figure_that_is_shown_is_the_one_written_down() -> None:
    told = {row[0]: row[3] for row in _tables("figure", "worked out", "exact", "shown") if row[3] != "-"}
    expected = {name: None if text == "withheld" else float(text) for name, text in told.items()}
    assert clear(_made(), MIN_CELL) == expected


def test_an_account_without_a_score_is_never_a_zero() -> None:
    """A09 has no overall score, and A11 to A14 none at all: a zero for any would show in the lowest bin."""
    found = _made()
    assert found.histogram[0] == 0
    assert found.scores["overall_score"].accounts == sum(found.histogram) == 8


def _side(day: str) -> Side:
    return side(*_book("two_days.csv", day), RULES, "USD")


@pytest.mark.parametrize("weighted", [False, True])
def test_every_part_of_a_moved_mean_is_the_one_worked_out_by_hand(weighted: bool) -> None:
    kind = "weighted" if weighted else "plain"
    steps = {
        row[1]: row[2:]
        for row in _tables("mean", "step", "worked out", "mean after it", "moved")
        if row[0] == kind
    }
    found = attribution(_side("before"), _side("now"), "overall_score", weighted=weighted)
    assert found is not None
    last = worked_out(steps.pop("before")[0])
    assert found.before == pytest.approx(float(last), abs=1e-12)
    assert set(steps) == set(found.parts)
    for name, (sum_, after, moved) in steps.items():
        mean = worked_out(sum_)
        assert mean == Fraction(after), name
        assert mean - last == Fraction(moved), name
        assert found.parts[name].points == pytest.approx(float(mean - last), abs=1e-12), name
        last = mean
    assert found.now == pytest.approx(float(last), abs=1e-12)
    assert sum(part.points for part in found.parts.values()) == pytest.approx(found.change, abs=1e-9)


def test_who_came_went_and_moved_is_who_the_document_says() -> None:
    before, now = _side("before"), _side("now")
    letters = migration(before, now)
    found = {**vars(turnover(before, now)), "upgrades": letters.upgrades, "downgrades": letters.downgrades}
    told = {row[0]: row[1:] for row in _tables("moved", "worked out", "accounts")}
    assert found == {name: int(n) for name, (_, n) in told.items()}
    assert found == {name: worked_out(who) for name, (who, _) in told.items()}
    cells = _tables("letter before", "letter now", "worked out", "accounts")
    assert letters.cells == {(then, later): int(n) for then, later, _, n in cells}
    assert letters.accounts == 3


@pytest.mark.parametrize("score", SCORE_COLUMNS)
def test_no_score_moves_if_the_accounts_without_a_rating_are_taken_away(score: str) -> None:
    accounts, outcomes = _book("book.csv")
    fewer = figures(side_by_side(accounts.slice(0, 10), outcomes.slice(0, 10)), RULES)
    assert fewer.scores[score] == _made().scores[score]
