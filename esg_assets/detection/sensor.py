"""The sensor that looks: every half minute, on by default. It writes to the outbox and sends nothing."""

from datetime import UTC, datetime

import dagster as dg

from esg_assets.core.alerts.ports import Outbox
from esg_assets.core.alerts.routes import Routes
from esg_assets.core.ports import History
from esg_assets.detection.looking import detect
from esg_assets.detection.machinery import DETECTION
from esg_assets.settings import Settings


@dg.sensor(
    name=DETECTION,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Looks at runs, checks, dates and the machinery, and writes what is wrong to the outbox.",
)
def alert_detection_sensor(
    context: dg.SensorEvaluationContext,
    history: dg.ResourceParam[History],
    outbox: dg.ResourceParam[Outbox],
    routes: dg.ResourceParam[Routes],
    settings: dg.ResourceParam[Settings],
) -> dg.SkipReason:
    """Launches nothing; what it saw is in the tick's reason.

    Raises:
        Failure: something could not be looked at. All else was recorded; the tick fails so that the
            next look, `alerts flush` and the delivery's sensor see it.
    """
    found = detect(context.instance, history, outbox, routes, settings, datetime.now(UTC), from_daemon=True)
    if found.faults:
        raise dg.Failure(str(found))
    return dg.SkipReason(str(found))
