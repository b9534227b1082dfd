"""Who is told over which channel: severity and audience → channels (ESG_ALERT_ROUTES overrides it)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from esg_assets.core.alerts.kinds import Severity
from esg_assets.core.errors import SettingsWrong

DEVELOPERS, BUSINESS, MONITORS = "developers", "business", "monitors"
AUDIENCES = (DEVELOPERS, BUSINESS, MONITORS)
"""`monitors` is the outside service that notices silence (ESG_HEARTBEAT_URL)."""

EMAIL, PAGERDUTY, SLACK, APPRISE, HEARTBEAT = "email", "pagerduty", "slack", "apprise", "heartbeat"
CHANNELS = (EMAIL, PAGERDUTY, SLACK, APPRISE, HEARTBEAT)

DEFAULT: Mapping[Severity, Mapping[str, Sequence[str]]] = {
    Severity.ERROR: {
        DEVELOPERS: (PAGERDUTY, EMAIL, SLACK, APPRISE),
        BUSINESS: (EMAIL,),
        MONITORS: (HEARTBEAT,),
    },
    Severity.WARN: {DEVELOPERS: (SLACK, EMAIL, APPRISE)},
    Severity.INFO: {BUSINESS: (EMAIL,), MONITORS: (HEARTBEAT,)},
}

_WANTED = (
    "severities ERROR, WARN, INFO → audiences developers, business, monitors → lists of email, pagerduty, "
    "slack, apprise, heartbeat"
)


@dataclass(frozen=True)
class Target:
    """One audience on one channel."""

    channel: str
    audience: str


@dataclass(frozen=True)
class Routes:
    """Where messages go.

    Attributes:
        table: severity and audience → channels.
        usable: the targets that settings allow: a channel without an address takes nothing.
    """

    table: Mapping[Severity, Mapping[str, Sequence[str]]]
    usable: frozenset[Target]

    def targets(self, severity: Severity) -> Sequence[Target]:
        """Who is told of an incident that is that bad, in the order of the table."""
        wanted = (
            Target(channel, audience)
            for audience, channels in self.table.get(severity, {}).items()
            for channel in channels
        )
        return [target for target in dict.fromkeys(wanted) if target in self.usable]


def parse_routes(table: Mapping[str, Mapping[str, Sequence[str]]]) -> dict[Severity, dict[str, list[str]]]:
    """ESG_ALERT_ROUTES as it was written; a severity or audience that it leaves out keeps its default.

    Raises:
        SettingsWrong: a name that there is not.
    """
    made = {severity: {who: list(how) for who, how in each.items()} for severity, each in DEFAULT.items()}
    for severity, audiences in table.items():
        if severity not in set(Severity):
            raise SettingsWrong(f"ESG_ALERT_ROUTES names the severity {severity!r}. Wanted: {_WANTED}.")
        for audience, channels in audiences.items():
            if audience not in AUDIENCES:
                raise SettingsWrong(f"ESG_ALERT_ROUTES names the audience {audience!r}. Wanted: {_WANTED}.")
            if unknown := [channel for channel in channels if channel not in CHANNELS]:
                raise SettingsWrong(f"ESG_ALERT_ROUTES names the channel {unknown[0]!r}. Wanted: {_WANTED}.")
            made[Severity(severity)][audience] = list(channels)
    return made
