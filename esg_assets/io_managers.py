"""IO managers on the work store: how one asset's value reaches the next, sealed and type-checked.

Dagster's default would pickle client data in the clear; it is never used. A snapshot goes to the
work store; ratings are there already, in sealed parts, so only their handle is kept; a publication
is in the chain. dagster-pandas types are held against every batch written or read.
"""

from dataclasses import replace
from datetime import date

import dagster as dg
import pyarrow as pa

from esg_assets.batch_types import AccountsBatch, RatingsBatch, checked
from esg_assets.core import outcomes
from esg_assets.core.accounts import Snapshot
from esg_assets.core.errors import KeyMissing
from esg_assets.core.gathering import WITHOUT_RAW
from esg_assets.core.ports import RatingsParts, Snapshots
from esg_assets.core.publication import Publication
from esg_assets.core.publishing import Publications
from esg_assets.core.sealed_ratings import Ratings, SealedRatings, SealedRatingsStore
from esg_assets.core.telling import fields
from esg_assets.failures import told_to

BATCH_ROWS = 10_000


def _accounts(snapshot: Snapshot) -> pa.Table:
    batches = checked(AccountsBatch, snapshot.accounts.to_batches(max_chunksize=BATCH_ROWS))
    return pa.Table.from_batches(batches, schema=snapshot.accounts.schema)


def _of(context: dg.InputContext | dg.OutputContext) -> date:
    return date.fromisoformat(context.partition_key)


class SnapshotIO(dg.IOManager):
    """Snapshots in the work store."""

    def __init__(self, snapshots: Snapshots) -> None:
        self._snapshots = snapshots

    def handle_output(self, context: dg.OutputContext, obj: Snapshot) -> None:
        """Store a new snapshot; one that was kept from an earlier run is stored already."""
        with told_to(context):
            accounts = _accounts(obj)
            if obj.generation == 0:
                obj = self._snapshots.save(replace(obj, accounts=accounts))
            context.add_output_metadata({"generation": obj.generation})

    def load_input(self, context: dg.InputContext) -> Snapshot:
        """The partition's newest snapshot."""
        with told_to(context):
            snapshot = self._snapshots.latest(_of(context))
            if snapshot is None:
                raise KeyMissing(
                    f"Reading the accounts of {context.partition_key}: no snapshot is stored. Materialize "
                    "active_accounts of that date first."
                )
            return replace(snapshot, accounts=_accounts(snapshot))


class RatingsIO(dg.IOManager):
    """Handles of ratings in the work store; the ratings themselves are sealed parts."""

    def __init__(self, handles: SealedRatingsStore, parts: RatingsParts, snapshots: Snapshots) -> None:
        self._handles = handles
        self._parts = parts
        self._snapshots = snapshots

    def handle_output(self, context: dg.OutputContext, obj: SealedRatings) -> None:
        """Keep the handle."""
        with told_to(context):
            self._handles.put(obj)

    def load_input(self, context: dg.InputContext) -> Ratings:
        """The handle, and what its parts hold for the partition's newest snapshot."""
        with told_to(context):
            sealed, snapshot = self._handles.get(_of(context)), self._snapshots.latest(_of(context))
            if sealed is None or snapshot is None:
                raise KeyMissing(
                    f"Reading the ratings of {context.partition_key}: none are stored. Materialize "
                    "esg_ratings of that date first."
                )
            batches = checked(RatingsBatch, self._parts.read(snapshot, WITHOUT_RAW))
            table = outcomes.latest(snapshot.accounts.column("account_id"), batches)
            return Ratings(sealed, tuple(self._parts.refs(snapshot)), table)


class NoValues(dg.ConfigurableIOManager):
    """Stands where Dagster would put its pickling default: an asset without a room keeps nothing.

    Configurable without a field, as every resource: of a plain object Dagster would take any config.
    """

    def handle_output(self, context: dg.OutputContext, obj: object) -> None:
        """Refuse."""
        del obj
        raise dg.Failure(
            f"{context.asset_key.to_user_string()} handed on a value and has no IO manager of its own; the "
            "default would store it unsealed."
        )

    def load_input(self, context: dg.InputContext) -> None:
        """Refuse."""
        raise dg.Failure(f"{context.asset_key.to_user_string()} keeps no value that could be read.")


class PublicationIO(dg.IOManager):
    """Publications are entries of the chain: there is nothing to write, and the chain is read."""

    def __init__(self, publications: Publications) -> None:
        self._publications = publications

    def handle_output(self, context: dg.OutputContext, obj: Publication) -> None:
        """The entry that made it a publication is written already."""
        context.log.info(
            "version %d of %s is chain entry %d",
            obj.version,
            obj.date,
            obj.sequence,
            extra=fields("published", version=obj.version, chain_entry=obj.sequence),
        )

    def load_input(self, context: dg.InputContext) -> Publication:
        """The date's latest publication."""
        with told_to(context):
            publication = self._publications.latest(_of(context))
            if publication is None:
                raise KeyMissing(
                    f"Reading the report of {context.partition_key}: none is published. Materialize "
                    "encrypted_report_csv of that date first."
                )
            return publication
