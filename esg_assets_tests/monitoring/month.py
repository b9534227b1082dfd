"""A made-up month of an installation as samples over time: for the dashboard's queries, and to look at.

The same for every seed. Made by the code that makes the exporter's samples; only what Dagster would say
is made up here.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from esg_assets.core.alerts.incidents import Incident
from esg_assets.core.alerts.kinds import RUN_FAILED
from esg_assets.core.alerts.ports import Waiting
from esg_assets.core.central_time import CENTRAL
from esg_assets.core.history import PublishedReport, RunRecord
from esg_assets.core.metrics import alerts
from esg_assets.core.metrics.catalogue import METRICS, Sample
from esg_assets.core.ratings import Status
from esg_assets.exporter import history_samples
from esg_assets.settings import Settings, load_settings
from esg_assets_tests.fake_history import MemoryHistory

FIRST = date(2026, 10, 20)  # daylight saving time ends on 1 November
DAYS = 30
END = datetime.combine(FIRST + timedelta(days=DAYS), time(), CENTRAL).astimezone(UTC)
STEP = timedelta(hours=1)
BAD_NIGHT = 17
"""The night on which the provider is down until noon: two runs fail, alerts wait for a channel."""

WITHHELD = 22
"""The day whose mean governance score is withheld."""


@dataclass(frozen=True)
class Night:
    """One date and what became of it."""

    number: int
    runs: Sequence[RunRecord]
    published: PublishedReport
    published_at: datetime
    figures: dict[str, float | None]


def nights(seed: int) -> Iterator[Night]:
    """The month, night by night."""
    dice = random.Random(seed)
    level = {
        "overall_score": 55.0,
        "environmental_score": 51.0,
        "social_score": 58.0,
        "governance_score": 62.0,
    }
    for number in range(DAYS):
        day = FIRST + timedelta(days=number)
        starts = datetime.combine(day, time(5), CENTRAL).astimezone(UTC)
        accounts = 9_600 + 12 * number + dice.randint(-5, 5)
        failed = dice.randint(20, 90)
        counts = {Status.NOT_RATED: accounts // 50, Status.FAILED: failed}
        counts[Status.SUCCESS] = accounts - sum(counts.values())
        level = {name: value + dice.gauss(0, 0.25) for name, value in level.items()}
        bad = [starts, starts + timedelta(hours=3)] if number == BAD_NIGHT else []
        good = starts + timedelta(hours=7 if bad else 0)
        runs = [_run(day, f"{number}-{n}", "failed", at, dice, counts) for n, at in enumerate(bad)]
        runs.append(_run(day, f"{number}", "published", good, dice, counts))
        head = f"{number + 1:064x}"
        published = PublishedReport(day, 1, number + 1, head, f"{number}", counts, day, day.isoformat())
        ended = runs[-1].ended_at
        assert ended is not None
        yield Night(number, runs, published, ended, _figures(number, accounts, counts, level, dice))


def _run(
    day: date, name: str, status: str, at: datetime, dice: random.Random, counts: dict[Status, int]
) -> RunRecord:
    accounts = sum(counts.values())
    calls = accounts + dice.randint(50, 400) if status == "published" else dice.randint(300, 900)
    seconds = calls / dice.uniform(47, 50) if status == "published" else 1_800.0
    middle = dice.lognormvariate(-1.4, 0.1)
    told = {f"accounts.{status}": count for status, count in counts.items()} if status == "published" else {}
    return RunRecord(
        run_id=name,
        report_date=day,
        status=status,
        started_at=at,
        ended_at=at + timedelta(seconds=seconds + 25),
        calls=calls,
        retries=calls - accounts if status == "published" else calls // 2,
        refusals=dice.randint(0, 12),
        seconds=seconds,
        version=1 if status == "published" else None,
        figures={
            "accounts": accounts,
            "p50_seconds": middle,
            "p90_seconds": middle * 2.1,
            "p99_seconds": middle * dice.uniform(4, 7),
            "received_bytes": calls * 410,
            **({"report_bytes": accounts * 190} if told else {}),
            **told,
        },
    )


def _figures(
    number: int, accounts: int, counts: dict[Status, int], level: dict[str, float], dice: random.Random
) -> dict[str, float | None]:
    rated = counts[Status.SUCCESS]
    shares = {"environmental": 0.42, "social": 0.27, "governance": 0.21, "none": 0.1}
    figures: dict[str, float | None] = {"accounts": accounts, "scored_accounts": rated - 300}
    for name, value in level.items():
        figures |= {
            f"{name}.mean": round(value, 1),
            f"{name}.weighted_mean": round(value + 1.5, 1),
            f"{name}.median": round(value + 0.4, 1),
            f"{name}.lower_quartile": round(value - 11, 1),
            f"{name}.upper_quartile": round(value + 12, 1),
        }
    if number == WITHHELD:
        figures["governance_score.mean"] = None
    figures |= {f"focus.{name}": round(rated * share) for name, share in shares.items()}
    figures |= {f"letter.{name}": rated // 5 for name in ("AAA", "AA", "A", "BBB", "BB")}
    timeouts = dice.randint(0, counts[Status.FAILED])
    figures |= {"failures.timeout": timeouts, "failures.rejected": counts[Status.FAILED] - timeouts}
    figures |= {"coverage.enough": rated - 300, "coverage.unknown": 0, "coverage.below": 300}
    figures |= {"ratings.current": rated - 40, "ratings.stale": 40, "ratings.undated": 0}
    return figures | {"metric.co2_intensity.mean": round(140 + dice.gauss(0, 1), 1)}


def samples(seed: int) -> Iterator[tuple[datetime, Sample]]:
    """Every sample of the month, hour by hour."""
    settings = load_settings(environ={"ESG_FIRST_DATE": FIRST.isoformat()}, dotenv=None)
    now = datetime.combine(FIRST, time(), CENTRAL).astimezone(UTC)
    history, waiting = MemoryHistory(lambda: now), list(nights(seed))
    bad = next(night for night in waiting if night.number == BAD_NIGHT)
    while now < END:
        while waiting and waiting[0].published_at <= now:
            night = waiting.pop(0)
            history.record_publication(night.published, night.figures)
            for run in night.runs:
                history.record_run(run)
        for run in waiting[0].runs if waiting else ():
            if run.ended_at is not None and run.ended_at <= now:
                history.record_run(run)
        down = bad.runs[0].started_at <= now < bad.published_at
        yield from ((now, sample) for sample in _at(now, history, settings, down=down))
        now += STEP


def _at(now: datetime, history: MemoryHistory, settings: Settings, *, down: bool) -> Iterator[Sample]:
    yield from history_samples(history, settings, now)
    of = Incident("esg/prod", "prod", RUN_FAILED, RUN_FAILED.severity, now, now)
    queued = Waiting({"slack": 3}, now - timedelta(minutes=25)) if down else Waiting()
    yield from alerts.alerts(queued, [of] if down else [], now)
    yield Sample("esg_up", 1)
    for source in ("history", "alerts", "dagster"):
        yield Sample("esg_source_up", 1, {"source": source})
        yield Sample("esg_scrape_errors_total", 0, {"source": source})
    for check in ("failure_rate", "not_rated_rate", "report_equals_ratings"):
        passed = not (down and check == "failure_rate")
        yield Sample("esg_asset_check_passed", passed, {"check": check, "severity": "ERROR"})
    for daemon in ("sensor", "scheduler", "backfill"):
        yield Sample("esg_daemon_heartbeat_timestamp_seconds", now.timestamp() - 20, {"daemon": daemon})
    yield from _ticks(now)


def _ticks(now: datetime) -> Iterator[Sample]:
    for sensor, limit in (("alert_detection_sensor", 300), ("stale_runs_sensor", 600)):
        of = {"sensor": sensor}
        yield Sample("esg_sensor_last_good_tick_timestamp_seconds", now.timestamp() - 40, of)
        yield Sample("esg_sensor_pause_limit_seconds", limit, of)
    local = now.astimezone(CENTRAL)
    rests = local.hour < 5
    last = datetime.combine(local.date() - timedelta(days=rests), time(23, 30), CENTRAL) if rests else local
    of = {"schedule": "nightly_esg_report_schedule"}
    yield Sample("esg_schedule_last_good_tick_timestamp_seconds", last.timestamp(), of)
    yield Sample("esg_schedule_pause_limit_seconds", 7 * 3600, of)


def open_metrics(found: Iterable[tuple[datetime, Sample]], environment: str) -> Iterator[str]:
    """The samples in OpenMetrics, as `promtool tsdb create-blocks-from openmetrics` reads them."""
    lines: dict[str, list[str]] = {}
    for at, sample in found:
        labels = {"env": environment, **{name: sample.labels[name] for name in METRICS[sample.name].labels}}
        written = ",".join(f'{name}="{value}"' for name, value in labels.items())
        line = f"{sample.name}{{{written}}} {float(sample.value)} {at.timestamp():.0f}\n"
        lines.setdefault(sample.name, []).append(line)
    for name, of in lines.items():
        kind = METRICS[name].kind
        yield f"# TYPE {name.removesuffix('_total') if kind == 'counter' else name} {kind}\n"
        yield from of
    yield "# EOF\n"
