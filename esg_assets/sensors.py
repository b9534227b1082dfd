"""The sensor that keeps Dagster's picture of the runs true: dead ones are reported as failed."""

import dagster as dg

from esg_assets.core.ports import Leases
from esg_assets.stale_runs import sweep

NAME = "stale_runs_sensor"


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
