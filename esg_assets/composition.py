"""From settings to adapters: which implementation serves each port. The one place that chooses.

Used by the Dagster resources and by the command line alike. Adapters are imported when they are
built, so that importing this touches nothing and `--help` is quick.
"""

import os
from functools import cached_property
from typing import TYPE_CHECKING

from esg_assets import authorization_choice, key_choice, store_choice
from esg_assets.core.account_mapping import parse_account_mapping
from esg_assets.core.alerts.ports import Outbox
from esg_assets.core.ports import (
    AccountSource,
    CallPolicy,
    History,
    Keyring,
    Leases,
    ObjectStore,
    RatingsApi,
    RatingsParts,
    ReplyShapes,
    Signer,
)
from esg_assets.core.publishing import Publications
from esg_assets.core.rules import Rules
from esg_assets.core.sealed_ratings import SealedRatingsStore
from esg_assets.core.verdicts import Limits
from esg_assets.settings import Settings, dagster_home

if TYPE_CHECKING:
    from esg_assets.adapters.chain_log import ChainLog
    from esg_assets.adapters.envelope import RecipientEnvelope, WorkingEnvelope
    from esg_assets.adapters.publications import PublishedReports
    from esg_assets.adapters.working_data import SealedRecords, SealedSnapshots
    from esg_assets.core.remembered_chain import Accepted, RememberedChain


def rules(settings: Settings) -> Rules:
    """The settings that decisions need, as plain values."""
    mapping = settings.accounts_mapping
    if settings.api_mapping is not None:
        from esg_assets.adapters.esg_api.mapping import check_metrics

        check_metrics(_mapping(settings), [metric.name for metric in settings.metrics])
    return Rules(
        as_of_lag_days=settings.as_of_lag_days,
        accounts=parse_account_mapping(None if mapping is None else mapping.data),
        ratings_mapping=_mapping(settings),
        metrics=settings.metrics,
        limits=Limits(
            failure_warn=settings.failure_rate_warn,
            failure_error=settings.failure_rate_error,
            failure_block=settings.failure_rate_block,
            not_rated_block=settings.not_rated_rate_block,
            not_rated_rise_block=settings.not_rated_rise_block,
            count_warn=settings.accounts_change_warn,
            count_drop_block=settings.accounts_drop_block,
        ),
        min_coverage_pct=settings.min_coverage_pct,
        max_rating_age_days=settings.max_rating_age_days,
        min_cell=settings.min_cell,
    )


def account_source(settings: Settings) -> AccountSource:
    """ESG_ACCOUNTS_URL."""
    from esg_assets.adapters.account_sources import open_account_source

    assert settings.accounts_url is not None
    cert, key = settings.accounts_client_cert, settings.accounts_client_cert_key
    return open_account_source(
        settings.accounts_url.get_secret_value(),
        query=settings.accounts_query,
        authorization=authorization_choice.authorization(settings, "accounts", _mapping(settings)),
        ca_bundle=None if settings.accounts_ca_bundle is None else str(settings.accounts_ca_bundle),
        client_cert=None if cert is None else (str(cert) if key is None else (str(cert), str(key))),
        proxy=authorization_choice.proxy(settings) or None,
        storage_options=os.environ,
    )


def call_policy(settings: Settings) -> CallPolicy:
    """Rate limit and retry policy of the ratings provider."""
    return CallPolicy(
        rate=settings.api_rate_limit,
        burst=settings.api_burst,
        concurrency=settings.api_concurrency,
        timeout_seconds=settings.api_timeout_seconds,
        max_attempts=settings.api_max_attempts,
        max_retry_after_seconds=settings.api_max_retry_after_seconds,
        outage_seconds=settings.api_outage_seconds,
    )


def ratings_api(settings: Settings) -> RatingsApi:
    """ESG_API_URL; close it after use."""
    from esg_assets import __version__
    from esg_assets.adapters.esg_api.client import HttpEsgApi
    from esg_assets.adapters.esg_api.mapping import request_shape

    assert settings.api_url is not None
    authorization = authorization_choice.authorization(settings, "api", _mapping(settings))
    return HttpEsgApi(
        settings.api_url,
        authorization,
        call_policy(settings),
        shape=request_shape(_mapping(settings), settings.api_accounts_per_call),
        ca_bundle=settings.api_ca_bundle,
        client_cert=settings.api_client_cert,
        client_key=settings.api_client_cert_key,
        proxy=authorization_choice.proxy(settings),
        user_agent=f"esg-assets/{__version__}",
        took=getattr(authorization, "took", lambda _seconds: None),
    )


def reply_shapes() -> ReplyShapes:
    """What ESG_API_MAPPING's texts mean, as they are frozen with snapshots."""
    from esg_assets.adapters.esg_api.mapping import MappedReplyShapes

    return MappedReplyShapes()


def _mapping(settings: Settings) -> str:
    """ESG_API_MAPPING as it is frozen with a snapshot: what a later run makes of that is what counts."""
    return "" if settings.api_mapping is None else settings.api_mapping.canonical


def leases(settings: Settings) -> Leases:
    """Beside the database: PostgreSQL's own, or files in DAGSTER_HOME."""
    from esg_assets.adapters.leases import open_leases

    return open_leases(settings.database_url.get_secret_value(), dagster_home() / "leases")


def history(settings: Settings) -> History:
    """ESG_DATABASE_URL, migrated."""
    from esg_assets.adapters.database.history import SqlHistory

    return SqlHistory(settings.database_url.get_secret_value())


def history_to_read(settings: Settings, busy_seconds: float) -> History:
    """ESG_DATABASE_URL as it is: nothing is made, brought up to date or written."""
    from esg_assets.adapters.database.history import SqlHistory

    url = settings.database_url.get_secret_value()
    return SqlHistory(url, read_only=True, busy_seconds=busy_seconds)


def outbox_to_read(settings: Settings, busy_seconds: float) -> Outbox:
    """The alerts of ESG_DATABASE_URL, likewise."""
    from esg_assets.adapters.database.outbox import SqlOutbox

    url = settings.database_url.get_secret_value()
    return SqlOutbox(url, settings.env, read_only=True, busy_seconds=busy_seconds)


class SealedStores:
    """Everything that is sealed: the work store, the records store and what they share.

    Nothing is opened before it is asked for; each is made once.

    Args:
        settings: as loaded; `Settings.require` has been asked before for what is used here.
        given_history: what remembers the chain's head; ESG_DATABASE_URL's if it is not given.
    """

    def __init__(self, settings: Settings, given_history: History | None = None) -> None:
        self._settings = settings
        self._given_history = given_history

    @cached_property
    def snapshots(self) -> "SealedSnapshots":
        """Account snapshots in the work store."""
        from esg_assets.adapters.working_data import SealedSnapshots

        return SealedSnapshots(self._work, self._working_envelope, self._settings.env)

    @cached_property
    def parts(self) -> RatingsParts:
        """Ratings in the work store."""
        from esg_assets.adapters.working_data import SealedParts

        return SealedParts(self._work, self._working_envelope, self._settings.env, self.snapshots)

    @cached_property
    def ratings(self) -> SealedRatingsStore:
        """Handles of ratings in the work store."""
        from esg_assets.adapters.working_data import SealedRatingsHandles

        return SealedRatingsHandles(self._handles)

    @cached_property
    def publications(self) -> Publications:
        """The records store, to read and to add to."""
        from esg_assets.adapters.publications import Publications as PublishedAndPublishing

        return PublishedAndPublishing(
            self._records, self._recipients, self._handles, self.remembered_chain, self.snapshots
        )

    @cached_property
    def published(self) -> "PublishedReports":
        """The records store, to read only: public keys are enough."""
        from esg_assets.adapters.publications import PublishedReports

        return PublishedReports(self._records, self._chain(None))

    @cached_property
    def remembered_chain(self) -> "RememberedChain":
        """The chain as a host that publishes has it: signed here, and held against the remembered head."""
        from esg_assets.core.remembered_chain import RememberedChain

        return RememberedChain(self._chain(self._signer), self._given_history or history(self._settings))

    def accept_restore(self, *, requested_by: str, reason: str) -> "Accepted":
        """Take the records as they are although they lag the remembered head; see the function."""
        from datetime import UTC, datetime

        from esg_assets.core.remembered_chain import accept_restore

        store_choice.require_guarded_records(self._settings)
        chain, remembers = self._chain(self._signer), self._given_history or history(self._settings)
        now = datetime.now(UTC)
        return accept_restore(chain, remembers, requested_by=requested_by, reason=reason, now=now)

    @cached_property
    def _records(self) -> ObjectStore:
        return store_choice.records_store(self._settings)

    @cached_property
    def _work(self) -> ObjectStore:
        return store_choice.work_store(self._settings)

    @cached_property
    def _working_envelope(self) -> "WorkingEnvelope":
        return key_choice.working_envelope(self._settings, self._work)

    @cached_property
    def _handles(self) -> "SealedRecords":
        from esg_assets.adapters.working_data import SealedRecords

        return SealedRecords(self._work, self._working_envelope, self._settings.env)

    @cached_property
    def _recipients(self) -> "RecipientEnvelope":
        return key_choice.recipient_envelope(self._settings)

    @cached_property
    def _signer(self) -> Signer:
        return key_choice.signer(self._settings)

    def _chain(self, signer: Signer | None) -> "ChainLog":
        from esg_assets.adapters.chain_log import ChainLog

        return ChainLog(self._records, signer, keyring(self._settings), self._settings.env)


def keyring(settings: Settings) -> Keyring:
    """ESG_VERIFY_KEYS, by default the public key beside ESG_SIGNING_KEY."""
    from esg_assets.adapters.keys import PublicKeyring

    return PublicKeyring.from_items(key_choice.verify_items(settings))
