"""Dagster resources of alerting: the outbox, the channels, the routes, and where links lead, as settings say.

Built on tolerantly loaded settings: one that is wrong leaves out its channel, and the others still tell.
"""

from collections.abc import Mapping, Sequence

import dagster as dg

from esg_assets import alert_choice
from esg_assets.core.alerts.ports import Channel, Outbox
from esg_assets.core.alerts.routes import Routes
from esg_assets.core.alerts.wording import Places
from esg_assets.settings import Settings


class OutboxResource(dg.ConfigurableResource[Outbox]):
    """Incidents and the messages about them, in the database."""

    settings: dg.ResourceDependency[Settings]

    def create_resource(self, context: dg.InitResourceContext) -> Outbox:
        """The database, migrated."""
        del context
        return alert_choice.outbox(self.settings)


class ChannelsResource(dg.ConfigurableResource[Sequence[Channel]]):
    """The alert channels that are set up."""

    settings: dg.ResourceDependency[Settings]

    def create_resource(self, context: dg.InitResourceContext) -> Sequence[Channel]:
        """Nobody is asked anything yet."""
        del context
        return alert_choice.channels(self.settings)


class RoutesResource(dg.ConfigurableResource[Routes]):
    """Who is told over which channel."""

    settings: dg.ResourceDependency[Settings]

    def create_resource(self, context: dg.InitResourceContext) -> Routes:
        """As ESG_ALERT_ROUTES says."""
        del context
        return alert_choice.routes(self.settings)


class PlacesResource(dg.ConfigurableResource[Places]):
    """Where links lead, in alerts and in what runs tell."""

    settings: dg.ResourceDependency[Settings]

    def create_resource(self, context: dg.InitResourceContext) -> Places:
        """As ESG_DAGSTER_URL, ESG_SITE_URL and ESG_RUNBOOK_URL say."""
        del context
        return alert_choice.places(self.settings)


ALERTING: Mapping[str, type] = {
    "places": PlacesResource,
    "outbox": OutboxResource,
    "channels": ChannelsResource,
    "routes": RoutesResource,
}
"""By the keys that sensors ask for them; each is built on the settings alone."""
