"""From settings to alerting: the outbox, the channels that are set up, and the routes to them.

Adapters are imported when they are built, as in `esg_assets.composition`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from esg_assets.core.alerts.routes import (
    APPRISE,
    AUDIENCES,
    BUSINESS,
    CHANNELS,
    DEFAULT,
    DEVELOPERS,
    EMAIL,
    HEARTBEAT,
    MONITORS,
    PAGERDUTY,
    SLACK,
    Routes,
    Target,
    parse_routes,
)
from esg_assets.core.alerts.wording import Places

if TYPE_CHECKING:
    from esg_assets.adapters.notifiers.apprise import AppriseChannel
    from esg_assets.adapters.notifiers.email import EmailChannel
    from esg_assets.adapters.notifiers.heartbeat import HeartbeatChannel
    from esg_assets.adapters.notifiers.pagerduty import PagerDutyChannel
    from esg_assets.adapters.notifiers.slack import SlackChannel
    from esg_assets.core.alerts.ports import Outbox
    from esg_assets.settings import Settings

    BuiltChannel = EmailChannel | PagerDutyChannel | SlackChannel | AppriseChannel | HeartbeatChannel

_SETTINGS = {
    EMAIL: "ESG_SMTP_URL and ESG_ALERT_EMAIL_DEV or ESG_ALERT_EMAIL_BUSINESS",
    PAGERDUTY: "ESG_PAGERDUTY_ROUTING_KEY",
    SLACK: "ESG_SLACK_WEBHOOK_URL",
    APPRISE: "ESG_APPRISE_URLS",
    HEARTBEAT: "ESG_HEARTBEAT_URL",
}
"""What has to be set for a channel."""


def outbox(settings: "Settings") -> "Outbox":
    """ESG_DATABASE_URL, migrated."""
    from esg_assets.adapters.database.outbox import SqlOutbox  # noqa: PLC0415 - SQLAlchemy is slow to import

    return SqlOutbox(settings.database_url.get_secret_value(), settings.env)


def channels(settings: "Settings") -> Sequence["BuiltChannel"]:
    """Every channel that is set up, in the order of `CHANNELS`; building one asks nobody."""
    return [_build(name, settings) for name in CHANNELS if _usable(name, settings)]


def routes(settings: "Settings") -> Routes:
    """ESG_ALERT_ROUTES over the default, with the targets that are set up."""
    table = DEFAULT if settings.alert_routes is None else parse_routes(settings.alert_routes.data)
    usable = frozenset(Target(name, who) for name in CHANNELS for who in _usable(name, settings))
    return Routes(table, usable)


def places(settings: "Settings") -> Places:
    """Where links in messages lead."""
    return Places(settings.dagster_url or "", settings.site_url or "", settings.runbook_url or "")


def gaps(settings: "Settings") -> Iterator[str]:
    """What nobody would be told of, or over a channel that is named and not set up; what to set."""
    chosen = routes(settings)
    if settings.alert_routes is not None:
        named = {
            Target(name, who)
            for audiences in settings.alert_routes.data.values()
            for who, names in audiences.items()
            for name in names
        }
        for target in sorted(named - chosen.usable, key=lambda each: (each.channel, each.audience)):
            yield (
                f"ESG_ALERT_ROUTES sends to {target.audience} by {target.channel}, which is not set up; see"
                f" {_SETTINGS[target.channel]}"
            )
    if settings.env != "prod":
        return
    told = {target for audiences in chosen.table for target in chosen.targets(audiences)}
    if not any(target.audience == DEVELOPERS for target in told):
        yield f"no channel tells the developers of an incident; set {_SETTINGS[PAGERDUTY]} or ESG_SMTP_URL"
    if not any(target.audience == BUSINESS for target in told):
        wanted = "ESG_SMTP_URL and ESG_ALERT_EMAIL_BUSINESS"
        yield f"no channel tells the readers that a report is late; set {wanted}"
    if Target(HEARTBEAT, MONITORS) not in told:
        yield (
            "nobody outside notices when this host is gone; set ESG_HEARTBEAT_URL (docs/operations.md says"
            " which services serve)"
        )


def _usable(name: str, settings: "Settings") -> Sequence[str]:
    """The audiences that a channel can tell."""
    people = [who for who in AUDIENCES if who != MONITORS]
    match name:
        case "email":
            # Tolerantly loaded settings may lack the sender: then the other channels still tell.
            ready = settings.smtp_url is not None and settings.alert_email_from
            return [who for who in people if _addresses(settings)[who]] if ready else []
        case "pagerduty":
            return [] if settings.pagerduty_routing_key is None else people
        case "slack":
            return [] if settings.slack_webhook_url is None else people
        case "apprise":
            return [] if settings.apprise_urls is None else people
        case _:
            return [] if settings.heartbeat_url is None else [MONITORS]


def _addresses(settings: "Settings") -> dict[str, Sequence[str]]:
    return {DEVELOPERS: settings.alert_email_dev, BUSINESS: settings.alert_email_business}


def _build(name: str, settings: "Settings") -> "BuiltChannel":
    builders: Mapping[str, Callable[[Settings], BuiltChannel]] = {
        EMAIL: _email,
        PAGERDUTY: _pagerduty,
        SLACK: _slack,
        APPRISE: _apprise,
        HEARTBEAT: _heartbeat,
    }
    return builders[name](settings)


def _email(settings: "Settings") -> "EmailChannel":
    from esg_assets import composition  # noqa: PLC0415 - loads data libraries
    from esg_assets.adapters.notifiers.chart_picture import png_of  # noqa: PLC0415 - as the others
    from esg_assets.adapters.notifiers.email import EmailChannel  # noqa: PLC0415 - jinja2 is slow to import
    from esg_assets.report_letters import ReportLetters  # noqa: PLC0415 - loads what makes figures

    assert settings.smtp_url is not None
    return EmailChannel(
        settings.smtp_url.get_secret_value(),
        sender=settings.alert_email_from[0],
        recipients=_addresses(settings),
        places=places(settings),
        letters=ReportLetters(lambda: composition.history(settings), places(settings), png_of),
        ca=settings.alert_ca_bundle,
    )


def _pagerduty(settings: "Settings") -> "PagerDutyChannel":
    from esg_assets.adapters.notifiers.pagerduty import PagerDutyChannel  # noqa: PLC0415 - slow to import

    assert settings.pagerduty_routing_key is not None
    return PagerDutyChannel(
        settings.pagerduty_routing_key.get_secret_value(),
        settings.pagerduty_url,
        places=places(settings),
        ca=settings.alert_ca_bundle,
    )


def _slack(settings: "Settings") -> "SlackChannel":
    from esg_assets.adapters.notifiers.slack import SlackChannel  # noqa: PLC0415 - slow to import

    assert settings.slack_webhook_url is not None
    url = settings.slack_webhook_url.get_secret_value()
    return SlackChannel(url, places=places(settings), ca=settings.alert_ca_bundle)


def _apprise(settings: "Settings") -> "AppriseChannel":
    from esg_assets.adapters.notifiers.apprise import AppriseChannel  # noqa: PLC0415 - as the others

    assert settings.apprise_urls is not None
    urls = settings.apprise_urls.get_secret_value()
    return AppriseChannel(urls, places=places(settings), ca=settings.alert_ca_bundle)


def _heartbeat(settings: "Settings") -> "HeartbeatChannel":
    from esg_assets.adapters.notifiers.heartbeat import HeartbeatChannel  # noqa: PLC0415 - requests is slow to import

    assert settings.heartbeat_url is not None
    return HeartbeatChannel(settings.heartbeat_url.get_secret_value(), ca=settings.alert_ca_bundle)
