"""Dagster resources of what is sealed: the stores, what lies in them, and what passes between steps.

Like all of `esg_assets.resources`, which puts them together, they have no config field.
"""

from collections.abc import Mapping

import dagster as dg

from esg_assets import run_stores, store_choice
from esg_assets.composition import SealedStores
from esg_assets.core.ports import History, RatingsParts, Snapshots
from esg_assets.core.publishing import Publications
from esg_assets.core.sealed_ratings import SealedRatingsStore
from esg_assets.io_managers import PublicationIO, RatingsIO, SnapshotIO
from esg_assets.settings import Settings


class Stores(dg.ConfigurableResource[SealedStores]):
    """The sealed work and records stores; the history remembers the head of the chain."""

    settings: dg.ResourceDependency[Settings]
    history: dg.ResourceDependency[History]

    def create_resource(self, context: dg.InitResourceContext) -> SealedStores:
        """The stores; nothing is opened yet, but `prod` asks how the records' bucket is guarded.

        Raises:
            Refused: it is public or keeps no versions.
        """
        self.settings.require("run")
        store_choice.require_guarded_records(self.settings)
        return run_stores.of_run(context.run, lambda: SealedStores(self.settings, self.history))


class SnapshotsResource(dg.ConfigurableResource[Snapshots]):
    """Frozen account snapshots in the work store."""

    stores: dg.ResourceDependency[SealedStores]

    def create_resource(self, context: dg.InitResourceContext) -> Snapshots:
        """The port."""
        del context
        return self.stores.snapshots


class RatingsPartsResource(dg.ConfigurableResource[RatingsParts]):
    """Sealed parts of ratings in the work store."""

    stores: dg.ResourceDependency[SealedStores]

    def create_resource(self, context: dg.InitResourceContext) -> RatingsParts:
        """The port."""
        del context
        return self.stores.parts


class SealedRatingsResource(dg.ConfigurableResource[SealedRatingsStore]):
    """Handles of ratings in the work store."""

    stores: dg.ResourceDependency[SealedStores]

    def create_resource(self, context: dg.InitResourceContext) -> SealedRatingsStore:
        """The port."""
        del context
        return self.stores.ratings


class PublicationsResource(dg.ConfigurableResource[Publications]):
    """Sealed reports and the signed chain in the records store."""

    stores: dg.ResourceDependency[SealedStores]

    def create_resource(self, context: dg.InitResourceContext) -> Publications:
        """The port."""
        del context
        return self.stores.publications


class SnapshotIOResource(dg.ConfigurableIOManagerFactory[SnapshotIO]):
    """Snapshots between steps: sealed in the work store."""

    snapshots: dg.ResourceDependency[Snapshots]

    def create_io_manager(self, context: dg.InitResourceContext) -> SnapshotIO:
        """The IO manager."""
        del context
        return SnapshotIO(self.snapshots)


class RatingsIOResource(dg.ConfigurableIOManagerFactory[RatingsIO]):
    """Ratings between steps: a sealed handle, and sealed parts."""

    handles: dg.ResourceDependency[SealedRatingsStore]
    parts: dg.ResourceDependency[RatingsParts]
    snapshots: dg.ResourceDependency[Snapshots]

    def create_io_manager(self, context: dg.InitResourceContext) -> RatingsIO:
        """The IO manager."""
        del context
        return RatingsIO(self.handles, self.parts, self.snapshots)


class PublicationIOResource(dg.ConfigurableIOManagerFactory[PublicationIO]):
    """Publications between steps: the chain."""

    publications: dg.ResourceDependency[Publications]

    def create_io_manager(self, context: dg.InitResourceContext) -> PublicationIO:
        """The IO manager."""
        del context
        return PublicationIO(self.publications)


STORES: Mapping[str, tuple[type, Mapping[str, str]]] = {
    "stores": (Stores, {"settings": "settings", "history": "history"}),
    "snapshots": (SnapshotsResource, {"stores": "stores"}),
    "ratings_parts": (RatingsPartsResource, {"stores": "stores"}),
    "sealed_ratings": (SealedRatingsResource, {"stores": "stores"}),
    "publications": (PublicationsResource, {"stores": "stores"}),
    "snapshot_io": (SnapshotIOResource, {"snapshots": "snapshots"}),
    "ratings_io": (
        RatingsIOResource,
        {"handles": "sealed_ratings", "parts": "ratings_parts", "snapshots": "snapshots"},
    ),
    "publication_io": (PublicationIOResource, {"publications": "publications"}),
}
"""By key the resource, and which others it is built on; those come first."""
