"""Schedules of jobs that keep house: by the clock alone, whatever the day's report is doing.

What such a job does is its own module's: `esg_assets.working_window`, `esg_assets.forgetting`.
"""

import dagster as dg

from esg_assets.core.central_time import TIMEZONE
from esg_assets.jobs import OWN_LINES


def housekeeping_schedule(job: dg.JobDefinition, cron: str, description: str) -> dg.ScheduleDefinition:
    """A schedule that is switched on by default and runs `job` by the clock alone, in Central time."""
    return dg.ScheduleDefinition(
        name=f"{job.name}_schedule",
        job=job,
        run_config=OWN_LINES,
        cron_schedule=cron,
        execution_timezone=TIMEZONE,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=description,
    )
