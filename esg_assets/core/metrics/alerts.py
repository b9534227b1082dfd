"""Samples about alerts: what is open, and what has not been told yet."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

from esg_assets.core.alerts.incidents import Incident
from esg_assets.core.alerts.ports import Waiting
from esg_assets.core.alerts.routes import CHANNELS
from esg_assets.core.metrics.catalogue import Sample


def alerts(waiting: Waiting, open_incidents: Iterable[Incident], now: datetime) -> Iterator[Sample]:
    """The outbox by channel, and open incidents by kind and severity."""
    for channel in CHANNELS:
        of = {"channel": channel}
        yield Sample("esg_alert_outbox_pending", waiting.pending.get(channel, 0), of)
        yield Sample("esg_alert_outbox_refused", waiting.refused.get(channel, 0), of)
    age = 0.0 if waiting.oldest is None else (now - waiting.oldest).total_seconds()
    yield Sample("esg_alert_outbox_oldest_age_seconds", max(0.0, age))
    counts = Counter((incident.kind.name, incident.severity.value) for incident in open_incidents)
    for (kind, severity), count in sorted(counts.items()):
        yield Sample("esg_alert_incidents_open", count, {"kind": kind, "severity": severity})
