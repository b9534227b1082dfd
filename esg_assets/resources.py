"""Dagster resources: each builds one port from the settings when a run starts.

None has a config field, so nothing that reaches an outside system can be set through run config: an
unauthenticated request to Dagster's GraphQL can launch a run with any run config. Which adapter
serves a port is decided in `esg_assets.composition`. Those of alerting and of the sealed stores are in
`esg_assets.alert_resources` and `esg_assets.store_resources`.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import dagster as dg

from esg_assets import composition
from esg_assets.alert_resources import ALERTING
from esg_assets.core.gathering import Gathering
from esg_assets.core.ports import AccountSource, History, Leases, RatingsApi, ReplyShapes
from esg_assets.core.rules import Rules
from esg_assets.forgetting import ForgettingResource
from esg_assets.io_managers import NoValues
from esg_assets.run_lease import RunLease
from esg_assets.settings import Settings, load_settings
from esg_assets.store_resources import STORES
from esg_assets.working_window import WorkingWindowResource


class SettingsResource(dg.ConfigurableResource[Settings]):
    """The settings in force when the run starts.

    Loaded tolerantly: a wrong setting fails the steps that need it, with its name, and not the
    sensors that are to tell of it.
    """

    def create_resource(self, context: dg.InitResourceContext) -> Settings:
        """Read the environment."""
        del context
        return load_settings(tolerant=True)


class AccountSystem(dg.ConfigurableResource[AccountSource]):
    """The firm's account system, as ESG_ACCOUNTS_URL says: HTTP, SQL or a file."""

    settings: dg.ResourceDependency[Settings]

    def create_resource(self, context: dg.InitResourceContext) -> AccountSource:
        """The source; nothing is asked yet."""
        del context
        self.settings.require("run")
        return composition.account_source(self.settings)


class EsgApi(dg.ConfigurableResource[RatingsApi]):
    """The external ESG Portfolio Analysis API, called once for each account.

    Rate limit: at most ESG_API_RATE_LIMIT calls a second over all runs, evenly spaced, ESG_API_BURST
    at once, ESG_API_CONCURRENCY in flight. A 429 pauses every call as long as its Retry-After says,
    at most ESG_API_MAX_RETRY_AFTER_SECONDS.

    Retry policy: 408, 425, 429, 5xx, time-outs, broken connections and answers that fail validation
    are tried up to ESG_API_MAX_ATTEMPTS times, with exponential backoff and full jitter; while an
    account waits it holds neither a slot nor a worker. 401 gets one new token, shared by all. 404 is
    NOT_RATED, 422 and other 4xx are FAILED at once. In an outage one call every two seconds asks
    whether it is over; after ESG_API_OUTAGE_SECONDS the run ends with what it has.
    """

    settings: dg.ResourceDependency[Settings]

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[RatingsApi]:
        """The client, closed after the run."""
        del context
        self.settings.require("run")
        api = composition.ratings_api(self.settings)
        try:
            yield api
        finally:
            api.close()


class ReplyShapesResource(dg.ConfigurableResource[ReplyShapes]):
    """How replies are read, by the mapping that is frozen with a snapshot."""

    def create_resource(self, context: dg.InitResourceContext) -> ReplyShapes:
        """The port."""
        del context
        return composition.reply_shapes()


class HistoryResource(dg.ConfigurableResource[History]):
    """Aggregates of past reports and runs, in the database."""

    settings: dg.ResourceDependency[Settings]

    def create_resource(self, context: dg.InitResourceContext) -> History:
        """The database, migrated."""
        del context
        return composition.history(self.settings)


class LeasesResource(dg.ConfigurableResource[Leases]):
    """Mutual exclusion of runs."""

    settings: dg.ResourceDependency[Settings]

    def create_resource(self, context: dg.InitResourceContext) -> Leases:
        """The port."""
        del context
        return composition.leases(self.settings)


class RunLeaseResource(dg.ConfigurableResource[RunLease]):
    """What one run holds while it lives."""

    leases: dg.ResourceDependency[Leases]

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[RunLease]:
        """Nothing is held yet; everything is released after the run."""
        del context
        lease = RunLease(self.leases)
        try:
            yield lease
        finally:
            lease.close()


class RulesResource(dg.ConfigurableResource[Rules]):
    """The settings that decisions need."""

    settings: dg.ResourceDependency[Settings]

    def create_resource(self, context: dg.InitResourceContext) -> Rules:
        """As plain values."""
        del context
        self.settings.require("run")
        return composition.rules(self.settings)


class GatheringResource(dg.ConfigurableResource[Gathering]):
    """The threads that call the provider."""

    def create_resource(self, context: dg.InitResourceContext) -> Gathering:
        """The port."""
        del context
        from esg_assets.adapters.workers import ThreadedGathering  # noqa: PLC0415  # see composition

        return ThreadedGathering()


def resources(overrides: Mapping[str, object] | None = None) -> dict[str, object]:
    """Every resource by its key.

    Args:
        overrides: ports to use instead, by key; whatever is built on one is built on the override.

    Raises:
        ValueError: an override for which there is no resource.
    """
    made: dict[str, object] = dict(overrides or {})
    given = set(made)
    keys = set()

    def add(key: str, resource: type, **needs: str) -> None:
        keys.add(key)
        if key not in made:
            made[key] = resource(**{name: made[needed] for name, needed in needs.items()})

    add("settings", SettingsResource)
    add("account_source", AccountSystem, settings="settings")
    add("esg_api", EsgApi, settings="settings")
    add("reply_shapes", ReplyShapesResource)
    add("gathering", GatheringResource)
    add("rules", RulesResource, settings="settings")
    for key, resource in {**ALERTING, "history": HistoryResource, "leases": LeasesResource}.items():
        add(key, resource, settings="settings")
    add("run_lease", RunLeaseResource, leases="leases")
    add("working_window", WorkingWindowResource, settings="settings")
    add("old_history", ForgettingResource, settings="settings")
    for key, (resource, needs) in STORES.items():
        add(key, resource, **needs)
    add("io_manager", NoValues)
    if unknown := given - keys:
        raise ValueError(f"no resource called {', '.join(sorted(unknown))}; there are {sorted(keys)}")
    return made
