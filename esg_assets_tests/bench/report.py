"""docs/benchmarks.md: the tables, where a peer is ahead, and how it was measured."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from esg_assets_tests.bench.nginx import BURST
from esg_assets_tests.bench.plot import Points
from esg_assets_tests.bench.series import Figures, Key

AHEAD = 0.95
"""Below this share of ours a peer is said to be ahead; nearer ones cannot be told apart here."""

CPU_TARGET = 0.7
"""Our CPU-seconds over those of aiohttp + aiolimiter, under the limit, at the two greatest sizes."""


INTRODUCTION = """\
The same accounts from the same server (Debian's nginx over TLS on loopback), collected by ours and by
its peers, each a process of its own, configured as its documentation recommends. Ours is what a night
runs: snapshot, outcomes sealed every second, progress lines, resumption. The peers write their results
in the clear, and all but dlt only at the end. `make bench` writes this page. Brackets hold the ratio to
ours."""

METHOD = """\
- First to last call, refusals and repeated calls are counted in the server's log. CPU (user and system)
  and peak memory are the kernel's for the whole process, imports included.
- The kill is a SIGKILL when half of the accounts have been answered; then the same command again.
  Repeated are answers that had been given before. Ours keeps what was sealed, once a second.
- aiohttp + aiolimiter: `AsyncLimiter(R, 1)`, one session, one task an account; tuned:
  `AsyncLimiter(R / 20, 0.05)`, which no documentation advises. Refused calls are tried again by tenacity's
  `wait_exponential_jitter`.
- requests + ThreadPool + tenacity: a session a thread, the same retries, no limiter.
- dlt: resource, transformer with `@dlt.defer`, its own requests client (12 tries, since its default of 5
  gives up under the limit), filesystem destination; it has no limiter.
"""


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        title: with its unit.
        of: the figure; lower is better.
        digits: after the decimal point.
    """

    title: str
    of: Callable[[Figures], float]
    digits: int


@dataclass(frozen=True)
class Results:
    """Everything the document says.

    Attributes:
        names: contenders, ours first.
        sizes: numbers of accounts, ascending.
        large: a size that is run once, without the limit; 0 for none.
        long: a size that is run once, under the limit; 0 for none.
        rate: calls per second of the limited runs.
        figures: medians.
        repeated: calls repeated after a kill under the limit at the greatest size, by contender.
        circumstances: what was run on, by what and how: lines of the document's last section.
    """

    names: Sequence[str]
    sizes: Sequence[int]
    large: int
    long: int
    rate: float
    figures: Mapping[Key, Figures]
    repeated: Mapping[str, int]
    circumstances: Sequence[str]


def limited_columns(results: Results, accounts: int) -> list[Column]:
    """The columns under the limit."""
    ideal = accounts / results.rate
    return [
        Column("first to last call, over N/R", lambda f: f.span_seconds / ideal, 3),
        Column("whole process, over N/R", lambda f: f.wall_seconds / ideal, 3),
        Column("refused (429)", lambda f: f.refusals, 0),
        Column("CPU-s", lambda f: f.cpu_seconds, 2),
        Column("of these beyond start-up", lambda f: f.cpu_seconds - f.start_up_seconds, 2),
        Column("peak MB", lambda f: f.peak_mb, 0),
    ]


def unlimited_columns(_results: Results, accounts: int) -> list[Column]:
    """The columns without a limit: milliseconds a call instead of calls/s, so that lower is better."""
    return [
        Column("ms a call, first to last", lambda f: 1000 * f.span_seconds / accounts, 3),
        Column("whole process, s", lambda f: f.wall_seconds, 2),
        Column("CPU-s", lambda f: f.cpu_seconds, 2),
        Column("of these beyond start-up", lambda f: f.cpu_seconds - f.start_up_seconds, 2),
        Column("peak MB", lambda f: f.peak_mb, 0),
    ]


def cost_lines(results: Results, rate: float) -> dict[str, Points]:
    """CPU-seconds per 10,000 calls against the number of accounts, by contender."""
    return {
        name: [
            (n, 1e4 * results.figures[name, n, rate].cpu_seconds / n)
            for n in _sizes(results, rate)
            if (name, n, rate) in results.figures
        ]
        for name in results.names
        if any((name, n, rate) in results.figures for n in results.sizes)
    }


def table(results: Results, accounts: int, rate: float, columns: Sequence[Column]) -> str:
    """A Markdown table: each figure, and in brackets its ratio to ours."""
    ours = results.figures[results.names[0], accounts, rate]
    repeated = rate > 0 and accounts == results.sizes[-1] and bool(results.repeated)
    titles = [c.title for c in columns] + ["repeated after a kill"] * repeated
    rows = ["| | " + " | ".join(titles) + " |", "|---" + "|---:" * len(titles) + "|"]
    for name in results.names:
        if (figures := results.figures.get((name, accounts, rate))) is None:
            continue
        cells = [_cell(c.of(figures), c.of(ours), c.digits) for c in columns]
        if repeated:
            cells.append(_cell(results.repeated[name], results.repeated[results.names[0]], 0))
        rows.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(rows)


def _cell(value: float, ours: float, digits: int) -> str:
    ratio = f" (x{value / ours:.2f})" if ours else ""
    return f"{value:,.{digits}f}{ratio}"


def peers_ahead(results: Results, accounts: int, rate: float, columns: Sequence[Column]) -> list[str]:
    """One line for each figure in which a peer is clearly better than ours."""
    ours = results.figures[results.names[0], accounts, rate]
    found = []
    for column in columns:
        for name in results.names[1:]:
            figures = results.figures.get((name, accounts, rate))
            if figures is not None and column.of(figures) < AHEAD * column.of(ours):
                found.append(
                    f"- {name}, {accounts:,} accounts, {_limit(rate)}: {column.title} "
                    f"{column.of(figures):,.{column.digits}f} against {column.of(ours):,.{column.digits}f}"
                )
    return found


def _sizes(results: Results, rate: float) -> list[int]:
    once = results.long if rate else results.large
    return [*results.sizes, *([once] if once else [])]


def _limit(rate: float) -> str:
    return f"limit {rate:g}/s" if rate else "no limit"


def document(results: Results, plot_file: str) -> str:
    """The whole of docs/benchmarks.md."""
    most = results.sizes[-1]
    limited, unlimited = limited_columns(results, most), unlimited_columns(results, most)
    start_up = [Column("CPU-s", lambda f: f.cpu_seconds, 2), Column("peak MB", lambda f: f.peak_mb, 0)]
    ahead = peers_ahead(results, most, results.rate, limited) + peers_ahead(results, most, 0.0, unlimited)
    return "\n".join(
        [
            "# Benchmarks",
            "",
            INTRODUCTION,
            "",
            f"## At a limit of {results.rate:g} calls/s, {most:,} accounts",
            "",
            f"`limit_req rate={results.rate:g}r/s burst={BURST} nodelay`; the rest is answered with 429.",
            "",
            table(results, most, results.rate, limited),
            "",
            *(line for n in _sizes(results, results.rate)[-2:] for line in _target(results, n)),
            "",
            f"## Without a limit, {most:,} accounts",
            "",
            table(results, most, 0.0, unlimited),
            "",
            "## Start-up: one account",
            "",
            table(results, 1, results.rate, start_up),
            "",
            "## Where a peer is ahead",
            "",
            *(ahead or ["Nowhere by more than can be told here."]),
            "",
            "## Cost against size",
            "",
            f"![CPU-seconds per 10,000 calls against the number of accounts]({plot_file})",
            "",
            "CPU-seconds per 10,000 calls, start-up included:",
            "",
            *_growth(results, lambda f, n: 1e4 * f.cpu_seconds / n, 2),
            "",
            "Peak memory in MB:",
            "",
            *_growth(results, lambda f, _n: f.peak_mb, 0),
            "",
            "## How it was measured",
            "",
            *results.circumstances,
            METHOD,
        ]
    )


def _target(results: Results, accounts: int) -> list[str]:
    ours = results.figures[results.names[0], accounts, results.rate].cpu_seconds
    lines = []
    for name in results.names[1:]:
        if name.startswith("aiohttp"):
            share = ours / results.figures[name, accounts, results.rate].cpu_seconds
            verdict = "reached" if share <= CPU_TARGET else "missed"
            lines.append(
                f"- Our CPU over that of {name}, {accounts:,} accounts: {share:.2f} "
                f"(target at most {CPU_TARGET}: {verdict})"
            )
    return lines


def _growth(results: Results, of: Callable[[Figures, int], float], digits: int) -> list[str]:
    heads = [f"{n:,}, {_limit(rate)}" for rate in (0.0, results.rate) for n in _sizes(results, rate)]
    rows = ["| | " + " | ".join(heads) + " |", "|---" + "|---:" * len(heads) + "|"]
    for name in results.names:
        cells = []
        for rate in (0.0, results.rate):
            found = [(n, results.figures.get((name, n, rate))) for n in _sizes(results, rate)]
            cells += ["-" if f is None else f"{of(f, n):,.{digits}f}" for n, f in found]
        rows.append(f"| {name} | " + " | ".join(cells) + " |")
    return rows
