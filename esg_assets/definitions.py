"""What Dagster loads: the assets, checks, job, schedule and sensor, put together here and nowhere else.

`build_defs` is also what tests call, with fakes for ports. Only `defs` reads the settings that
definitions depend on (the first date and the schedule's numbers).
"""

from collections.abc import Mapping

import dagster as dg

from esg_assets import checks, log_output, site_upkeep
from esg_assets.adapters import logs
from esg_assets.alert_delivery import alert_delivery_sensor
from esg_assets.assets import active_accounts, daily_summary, encrypted_report_csv, esg_ratings
from esg_assets.catalogue import catalogued, catalogued_spec
from esg_assets.detection.sensor import alert_detection_sensor
from esg_assets.event_errors import keep_values_out_of_events
from esg_assets.forgetting import forget_old_history, forget_schedule
from esg_assets.jobs import nightly_esg_report
from esg_assets.partitions import daily
from esg_assets.resources import resources
from esg_assets.schedules import nightly_schedule
from esg_assets.sensors import run_records_sensor, stale_runs_sensor
from esg_assets.settings import Settings, dagster_home, load_settings
from esg_assets.settings.known_secrets import known
from esg_assets.working_window import archive_schedule, archive_working_data


def build_defs(settings: Settings, overrides: Mapping[str, object] | None = None) -> dg.Definitions:
    """Fresh definitions.

    Args:
        settings: for the partitions and the schedule.
        overrides: ports to use instead of the resource of that key.
    """
    keep_values_out_of_events()
    partitions = daily(settings.first_date)
    return dg.Definitions(
        assets=[
            catalogued(module.define(partitions), settings)
            for module in (active_accounts, esg_ratings, encrypted_report_csv, daily_summary)
        ]
        + [catalogued_spec(site_upkeep.site_asset(settings), settings)],
        asset_checks=[checks.report_still_verifies(partitions)],
        jobs=[nightly_esg_report, archive_working_data, forget_old_history],
        schedules=[nightly_schedule(settings), archive_schedule(), forget_schedule()],
        sensors=[
            *(alert_detection_sensor, alert_delivery_sensor, stale_runs_sensor, run_records_sensor),
            site_upkeep.report_pages_sensor,
        ],
        resources=resources(overrides),
        loggers={"console": log_output.console_lines},
        # Four small steps share one client and one pacer (docs/adr/0005).
        executor=dg.in_process_executor,
    )


@dg.definitions
def defs() -> dg.Definitions:
    """The definitions in force here; a wrong setting fails the runs that need it, not the loading."""
    logs.install(known)
    dagster_home()
    settings = load_settings(tolerant=True)
    log_output.begin(settings)
    return build_defs(settings)
