"""`esg-assets status`: where a date's report stands, in five lines."""

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from esg_assets.cli.answers import Answer
from esg_assets.cli.commands import Commands
from esg_assets.cli.options import OptionalDay, day_of
from esg_assets.core.alerts.punctuality import deadline_of
from esg_assets.core.central_time import central_date

if TYPE_CHECKING:
    import dagster as dg

    from esg_assets.core.history import PastReport
    from esg_assets.settings import Settings


def register(commands: Commands) -> None:
    """Add the command."""
    commands.add("status", status)


def status(day: OptionalDay = None) -> Answer:
    """Where the report stands, what is wrong, when it should end, what to do next; exit 1 when late."""
    from esg_assets import alert_choice, composition  # noqa: PLC0415 - slow to import
    from esg_assets.instances import opened_instance  # noqa: PLC0415
    from esg_assets.schedules import runs_of  # noqa: PLC0415
    from esg_assets.settings import dagster_home, load_settings  # noqa: PLC0415

    dagster_home()
    settings = load_settings("status")
    now = datetime.now(UTC)
    chosen = day_of(day) or central_date(now)
    history = composition.history(settings)
    published, head = history.latest(chosen), history.head()
    with opened_instance(composition.leases(settings)) as instance:
        runs = runs_of(instance, chosen)
        complaints = _complaints(instance, runs[0]) if runs else ()
    late = _late(settings, chosen, now, published)
    incidents = [
        incident.kind.name
        for incident in alert_choice.outbox(settings).open_incidents()
        if incident.date in {chosen, None}
    ]
    return _answer(chosen, late, published, runs, complaints, incidents, "" if head is None else str(head))


def _answer(
    day: date,
    late: bool,
    published: "PastReport | None",
    runs: "list[dg.DagsterRun]",
    complaints: tuple[str, ...],
    incidents: list[str],
    head: str,
) -> Answer:
    running = next((run for run in runs if not run.is_finished), None)
    if published is not None:
        report = published.published
        counts = ", ".join(f"{n:,} {name}" for name, n in report.counts.items())
        stands = f"version {report.version} published {published.recorded_at:%Y-%m-%d %H:%M}Z: {counts}"
    else:
        stands = "LATE, not published" if late else "not published yet"
    ends = running.tags.get("esg/expected_end", "not known yet") if running else "-"
    doing = (
        running.tags.get("esg/progress", running.status.value.lower()) if running else "no run is under way"
    )
    alerts = [f"open alerts: {', '.join(dict.fromkeys(incidents))}"] if incidents else []
    wrong = "; ".join([*complaints, *alerts]) or "nothing"
    following = _next_command(day, published is not None, running is not None, bool(complaints), head)
    data = {
        "date": day.isoformat(),
        "published": published is not None,
        "late": late,
        "version": published.published.version if published else None,
        "running": running.run_id if running else None,
        "progress": doing,
        "expected_end": running.tags.get("esg/expected_end") if running else None,
        "wrong": list(complaints),
        "incidents": incidents,
        "next": following,
        "head": head or None,
    }
    lines = [
        f"Report {day}: {stands}",
        f"Now:          {doing}",
        f"Expected end: {ends}",
        f"Wrong:        {wrong}",
        f"Next:         {following}",
    ]
    return Answer(data, lines, 1 if late else 0)


def _late(settings: "Settings", day: date, now: datetime, published: "PastReport | None") -> bool:
    """Whether the date's report should be there and is not."""
    return published is None and now > deadline_of(day, settings.report_deadline)


def _complaints(instance: "dg.DagsterInstance", run: "dg.DagsterRun") -> tuple[str, ...]:
    from esg_assets.run_results import result_of  # noqa: PLC0415 - slow to import

    if not run.is_finished:
        return ()
    return result_of(instance, run, date.min, 0.0).complaints


def _next_command(day: date, published: bool, running: bool, wrong: bool, head: str) -> str:
    if running:
        return f"esg-assets status --date {day}"
    if not published:
        return f"esg-assets run --date {day}" + (", when what is wrong is mended" if wrong else "")
    return f"esg-assets report verify --date {day}" + (f" --expect-head {head}" if head else "")
