"""The sensors that keep the picture of runs true: dead ones are reported as failed, ended ones recorded."""

from datetime import datetime

import dagster as dg

from esg_assets.core.ports import History, Leases
from esg_assets.run_records import record_ended_runs
from esg_assets.stale_runs import sweep

NAME = "stale_runs_sensor"
RECORDING = "run_records_sensor"


@dg.sensor(
    name=NAME,
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Marks runs as failed whose process is gone (SIGKILL, reboot): nothing is to wait for them.",
)
def stale_runs_sensor(context: dg.SensorEvaluationContext, leases: dg.ResourceParam[Leases]) -> dg.SkipReason:
    """Launches nothing; what it did is in the tick's reason."""
    reported = sweep(context.instance, leases, by=NAME)
    if reported:
        return dg.SkipReason(
            f"marked {len(reported)} runs as failed whose process is gone: {', '.join(reported)}"
        )
    return dg.SkipReason("every unfinished run is alive")


@dg.sensor(
    name=RECORDING,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Records how each run went in the history, once it has ended: for trends and metrics.",
)
def run_records_sensor(
    context: dg.SensorEvaluationContext, history: dg.ResourceParam[History]
) -> dg.SkipReason:
    """Launches nothing; its cursor is the time up to which runs are looked at."""
    since = datetime.fromisoformat(context.cursor) if context.cursor else None
    recorded, seen = record_ended_runs(context.instance, history, since)
    if seen is not None:
        context.update_cursor(seen.isoformat())
    if not recorded:
        return dg.SkipReason("every run that has ended is recorded")
    return dg.SkipReason(f"recorded {recorded} run{'s' if recorded > 1 else ''}")
