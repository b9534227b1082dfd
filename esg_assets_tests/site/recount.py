"""The figures on pages against a count of the reports' rows with polars, which shares no code with ours.

A frame has a report's columns as the CSV has them, numbers as numbers. Pages are read as HTML. Each
function raises AssertionError where a page says something else than the rows, and gives how many
figures it compared. A group of figures that stands since an earlier report (the page says so) must be
that of the page before.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from esg_assets_tests.site.reading import Read

ALL = ("AAA", "AA", "A", "BBB", "BB", "B", "CCC")
SCORES = {
    "Overall": "overall_esg_score",
    "Environmental": "environmental_score",
    "Social": "social_score",
    "Governance": "governance_score",
}
LEAST, COVERAGE, AGE, CURRENCY = 10, 65.0, 366, "USD"
HIDDEN, MINUS = "withheld", "\N{MINUS SIGN}"
NUMBERS = ("market_value", "coverage_pct", *SCORES.values())


@dataclass(frozen=True)
class Counted:
    """A report: its date, its rows, and its page."""

    day: date
    rows: pl.DataFrame
    page: Read

    @property
    def rated(self) -> pl.DataFrame:
        return self.rows.filter(pl.col("processing_status") == "SUCCESS")

    @property
    def counting(self) -> pl.DataFrame:
        return self.rated.filter(pl.col("coverage_pct").is_null() | (pl.col("coverage_pct") >= COVERAGE))

    def stands(self, group: str) -> bool:
        """Whether the page says that it shows an earlier report's figures of that group."""
        said = self.page.line("Figures of ")
        return group in said.removeprefix("Figures of ").partition(" stand ")[0].split(", ")


def counts(of: Counted) -> int:
    """Accounts by outcome and reason, stale ones, and who counts for averages."""
    page, rows, rated = of.page, of.rows, of.rated
    many = dict(rows["processing_status"].value_counts().iter_rows())
    failed = many.get("FAILED", 0)
    told = {label: values[0] for label, values in page.tiles.items()}
    assert told["Rated"] == f"{100 * len(rated) / len(rows):.1f}%"
    assert told["Failed"] == f"{failed:,}"
    assert told["Not rated by the provider"] == f"{many.get('NOT_RATED', 0):,}"
    reasons = dict(rows.filter(pl.col("processing_status") == "FAILED")["reason"].value_counts().iter_rows())
    listed = {row[0].lower().replace(" ", "_"): row[1] for row in page.table("Failed accounts by reason")}
    assert listed == {reason: f"{n:,}" for reason, n in reasons.items()}
    oldest = of.day - timedelta(days=1 + AGE)
    stale = len(rated.filter(pl.col("rating_as_of") < oldest.isoformat()))
    if not of.stands("ratings"):
        assert told["Stale ratings"] in {f"{stale:,}", *([HIDDEN] if 0 < stale < LEAST else [])}
    if not of.stands("coverage"):
        below = len(rated) - len(of.counting)
        line = page.line("Averages are over ")
        assert f"{len(of.counting):,} of {len(rated):,} rated accounts" in line
        assert f" {below:,} do not count" in line
    heading = next(line for line in page.text if ": ESG report of " in line)
    assert heading.startswith("PARTIAL" if failed / len(rows) > 0.05 else "COMPLETE")
    return 6 + len(reasons)


def averages(of: Counted, before: Counted | None) -> int:
    """Mean, median and quartiles of each score, plain and by market value; further metrics."""
    compared = 0
    for row in of.page.table("Scores"):
        label, shown = row[0], [row[1], *row[3:]]
        column = SCORES[label]
        if of.stands(column.replace("_esg", "").replace("_", " ")):
            assert before is not None
            earlier = {each[0]: [each[1], *each[3:]] for each in before.page.table("Scores")}
            assert shown == earlier[label]
            continue
        scores = of.counting[column].drop_nulls()
        held = of.counting.filter((pl.col("base_currency") == CURRENCY) & (pl.col("market_value") > 0))
        weighted = float((held[column] * held["market_value"]).sum()) / float(held["market_value"].sum())
        quartiles = [scores.quantile(q, "linear") for q in (0.5, 0.25, 0.75)]
        for text, value in zip(shown, [scores.mean(), *quartiles, weighted], strict=True):
            near(text, value)
            compared += 1
    for name, mean, *_ in of.page.table("Means over accounts") if "Further metrics" in of.page.text else ():
        if not of.stands(name.replace("_", " ")):
            near(mean, of.counting[name].cast(pl.Float64).mean())
            compared += 1
    return compared


def tables(of: Counted) -> int:
    """The histogram, focus and letters."""
    scores = of.counting.select((pl.col("overall_esg_score") // 5).cast(pl.Int64).alias("bin")).drop_nulls()
    binned = {f"{5 * n} to {5 * n + 5}": many for n, many in scores["bin"].value_counts().iter_rows()}
    compared = 0
    if not of.stands("overall score"):
        compared += _cells(of.page.table("Accounts by overall score"), binned)
    focus = {key.capitalize(): n for key, n in of.rated["primary_esg_focus"].value_counts().iter_rows()}
    if not of.stands("focus"):
        compared += _cells(of.page.table("Primary focus"), focus)
    if not of.stands("letter"):
        letters = dict(of.rated["esg_rating"].fill_null("None").value_counts().iter_rows())
        compared += _cells(of.page.table("Rating letters"), letters)
    return compared


def _cells(rows: Sequence[Sequence[str]], counted: Mapping[str, int]) -> int:
    """Each cell is the count, or withheld in a table that has a small one."""
    small = any(0 < n < LEAST for n in counted.values())
    for label, text, *_ in rows:
        number = counted.get(label, 0)
        assert text == f"{number:,}" or (text == HIDDEN and small and number), (label, text, number)
        assert text == HIDDEN or not 0 < number < LEAST, f"{label} shows {number}"
    assert set(counted) <= {row[0] for row in rows}
    return len(rows)


def turnover(of: Counted, then: Counted) -> int:
    """Who came, went, fails or is rated, and how letters moved, against one earlier report."""
    column = _column(of, then.day)
    if column is None:
        assert any(f"the accounts of {then.day} can no longer be opened" in line for line in of.page.text)
        return 0
    both = of.rows.join(then.rows, on="account_id", suffix="_then")
    now, old = both["processing_status"], both["processing_status_then"]
    ups, downs, same = _moves(both)
    expected = {
        "New accounts": len(of.rows) - len(both),
        "Closed accounts": len(then.rows) - len(both),
        "Newly failing": int(((now == "FAILED") & (old != "FAILED")).sum()),
        "No longer failing": int(((now != "FAILED") & (old == "FAILED")).sum()),
        "Newly rated": int(((now == "SUCCESS") & (old != "SUCCESS")).sum()),
        "No longer rated": int(((now != "SUCCESS") & (old == "SUCCESS")).sum()),
        "Upgrades": ups,
        "Downgrades": downs,
    }
    told = {row[0]: row[column] for row in of.page.table("Accounts that came")}
    assert set(told) == set(expected)
    hidden = any(0 < n < LEAST for n in (ups, downs, same)) or of.stands("letter") or then.stands("letter")
    for label, number in expected.items():
        withheld = told[label] == HIDDEN and hidden and label in {"Upgrades", "Downgrades"}
        assert withheld or told[label] == f"{number:,}", (label, told[label], number)
    return len(expected)


def _column(of: Counted, day: date) -> int | None:
    """In which column the table of what came and went is held against that date's report."""
    heads = [rows[0] for caption, rows in of.page.tables.items() if caption.startswith("Accounts that came")]
    words = f"{day.day} {day:%B %Y}"
    return next((place for head in heads for place, text in enumerate(head) if text.endswith(words)), None)


def _moves(both: pl.DataFrame) -> tuple[int, int, int]:
    ranks = {letter: place for place, letter in enumerate(ALL)}
    pairs = both.filter(pl.col("esg_rating").is_in(ALL) & pl.col("esg_rating_then").is_in(ALL))
    now, old = (pairs[name].replace_strict(ranks) for name in ("esg_rating", "esg_rating_then"))
    return int((now < old).sum()), int((now > old).sum()), int((now == old).sum())


def matrix(of: Counted, then: Counted) -> int:
    """The migration matrix."""
    both = of.rows.join(then.rows, on="account_id", suffix="_then")
    pairs = both.filter(pl.col("esg_rating").is_in(ALL) & pl.col("esg_rating_then").is_in(ALL))
    found = {(a, b): n for a, b, n in pairs.group_by("esg_rating_then", "esg_rating").len().iter_rows()}
    assert any(f"{len(pairs):,} accounts have a letter in both reports" in line for line in of.page.text)
    captions = [caption for caption in of.page.tables if caption.startswith("Rows: letter before")]
    if not captions:  # too few moved
        assert of.stands("letter") or then.stands("letter")
        return 1
    head, *rows = of.page.tables[captions[0]]
    small = any(0 < n < LEAST for n in found.values())
    for before, *cells in rows:
        for now, text in zip(head[1:], cells, strict=True):
            number = found.pop((before, now), 0)
            assert text in {f"{number:,}" if number else "", *([HIDDEN] if small and number else [])}
            assert text == HIDDEN or not 0 < number < LEAST, (before, now, number)
    assert not found
    return len(rows) ** 2


def change_of_tile(of: Counted, then: Counted, label: str, against: str) -> int:
    """A tile's change is the difference of what both pages show."""
    (told,) = [text for text in of.page.tiles[label][2:] if text.endswith(f" vs {against}")]
    now, old = (value_of(each.page.tiles[label][0]) for each in (of, then))
    shown = re.match(rf"(?:[▲▼] )?([+{MINUS}][\d,.]+|no change)", told)
    assert shown is not None, told
    moved = 0.0 if shown[1] == "no change" else float(shown[1].replace(",", "").replace(MINUS, "-"))
    assert abs(moved - (now - old)) < 0.0501, (label, told, now, old)
    return 1


def trend_row(row: Sequence[str], of: Counted, columns: Sequence[str]) -> int:
    """A row of a trend's table is what the rows and the page of that date say."""
    for name, text in zip(columns, row[2:], strict=True):
        if name in SCORES:
            shown = next(each[1] for each in of.page.table("Scores") if each[0] == name)
            assert text == shown, (of.day, name, text, shown)
        if name == "Failed":
            near(text, 100 * len(of.rows.filter(pl.col("processing_status") == "FAILED")) / len(of.rows))
        if name == "Rated":
            near(text, 100 * len(of.rated) / len(of.rows))
    return len(columns)


def near(text: str, value: object) -> None:
    """The text is the number rounded to one decimal."""
    assert isinstance(value, float)
    assert abs(value_of(text) - value) < 0.0501, (text, value)


def value_of(text: str) -> float:
    return float(text.rstrip("%").replace(",", "").replace(MINUS, "-"))


def of_csv(day: date, rows: pl.DataFrame, page: Read) -> Counted:
    """A report whose rows are texts, as `polars.read_csv(..., infer_schema=False)` gives them."""
    return Counted(day, rows.with_columns(pl.col(NUMBERS).cast(pl.Float64)), page)


def whole_month(reports: Mapping[date, Counted], trend: Read) -> int:
    """Every page of newest versions and the trend of 30 days; how many figures were compared.

    Args:
        reports: by date, ascending.
        trend: the page of 30 days.
    """
    compared, before = 0, None
    for day, of in reports.items():
        compared += counts(of) + averages(of, before) + tables(of)
        earlier = {"last report": before, "week": reports.get(day - timedelta(days=7))}
        earlier["month"] = reports.get(day - timedelta(days=30))
        there = [(name, then) for name, then in earlier.items() if then is not None]
        for name, then in there:
            compared += turnover(of, then)
            for label in ("Rated", "Failed", "Not rated by the provider", "Overall score, mean"):
                compared += change_of_tile(of, then, label, name)
        if before is not None:
            compared += matrix(of, before)
        before = of
    for caption in ("Scores, mean", "Coverage", "Failure rate"):
        head, *rows = trend.tables[caption]
        for row in rows:
            found = reports.get(date.fromisoformat(row[0]))
            assert (found is None) == (row[1] == "no report"), row
            compared += 0 if found is None else trend_row(row, found, head[2:])
    return compared
