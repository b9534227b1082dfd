"""A deliverer that is killed between the channel's acknowledgement and its mark."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from esg_assets.adapters.database.outbox import SqlOutbox
from esg_assets.adapters.notifiers.pagerduty import PagerDutyChannel
from esg_assets.alert_delivery import deliver_due, new_deliverer
from esg_assets.core.alerts.incidents import Observation
from esg_assets.core.alerts.kinds import SENSOR_SILENT
from esg_assets.core.alerts.routes import DEFAULT, DEVELOPERS, PAGERDUTY, Routes, Target
from esg_assets.core.alerts.wording import Places
from esg_assets_tests.notifiers.http_stubs import ROUTING_KEY, PagerDuty
from esg_assets_tests.processes import line_from, python_process

NOW = datetime(2026, 11, 24, 11, 30, tzinfo=UTC)
ROUTES = Routes(DEFAULT, frozenset({Target(PAGERDUTY, DEVELOPERS)}))

DELIVERER = """if True:
    import sys, time
    from datetime import datetime
    from pathlib import Path
    from esg_assets.adapters.database.outbox import SqlOutbox
    from esg_assets.adapters.notifiers.pagerduty import PagerDutyChannel
    from esg_assets.alert_delivery import deliver_due, new_deliverer
    from esg_assets.core.alerts.routes import DEFAULT, Routes
    from esg_assets.core.alerts.wording import Places
    url, pager, key, ca, at = sys.argv[1:]

    def never(self, *given):
        print("taken", flush=True)
        time.sleep(600)

    SqlOutbox.delivered = never
    channel = PagerDutyChannel(key, pager, places=Places(), ca=Path(ca))
    routes = Routes(DEFAULT, frozenset())
    outbox = SqlOutbox(url, "test")
    deliver_due(outbox, [channel], routes, new_deliverer(), lambda: datetime.fromisoformat(at))
"""


def test_what_it_had_delivered_goes_out_again_as_the_same(
    tmp_path: Path, pagerduty: PagerDuty, ca: Path
) -> None:
    url = f"sqlite:///{tmp_path}/history.sqlite"
    outbox = SqlOutbox(url, "test")
    (incident,) = outbox.record([Observation(SENSOR_SILENT, "silent", NOW, subject="s1")], ROUTES, NOW)
    with python_process(DELIVERER, url, pagerduty.url, ROUTING_KEY, str(ca), NOW.isoformat()) as process:
        assert line_from(process) == "taken"
        process.kill()
    channel = PagerDutyChannel(ROUTING_KEY, pagerduty.url, places=Places(), ca=ca)
    for seconds, delivered in ((59, 0), (60, 1), (600, 0)):
        now = NOW + timedelta(seconds=seconds)
        result = deliver_due(outbox, [channel], ROUTES, new_deliverer(), lambda now=now: now)  # type: ignore[misc]
        assert result.delivered.total() == delivered
    assert pagerduty.triggers == {incident.key: 2}  # by one dedup key: one page
    assert len(outbox.receipts(incident.key)) == 1
