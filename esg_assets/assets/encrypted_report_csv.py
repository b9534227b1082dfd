"""The asset encrypted_report_csv: the day's report, sealed, read back, and published in the chain.

What the file holds is `esg_assets.core.report`; sealing and publishing is the port `Publications`.
The check shows, the asset enforces: the verdicts are decided again on what is read here, because a
check that failed in one run does not stop a materialization in another (docs/adr/0007).
"""

from collections.abc import Iterator

import dagster as dg

from esg_assets import checks, links, run_reasons
from esg_assets.asset_columns import rows_written
from esg_assets.asset_metadata import Metadata
from esg_assets.core import corrections, outcomes, report, verdicts
from esg_assets.core.accounts import Snapshot
from esg_assets.core.alerts.wording import Places
from esg_assets.core.errors import ReportBlocked, Tampered
from esg_assets.core.ports import History, RatingsParts
from esg_assets.core.publication import Draft, Publication
from esg_assets.core.publishing import Publications
from esg_assets.core.rules import Rules
from esg_assets.core.sealed_ratings import Ratings
from esg_assets.core.verdicts import Verdict
from esg_assets.failures import told_to
from esg_assets.run_lease import RunLease

NAME = "encrypted_report_csv"


def define(partitions: dg.PartitionsDefinition) -> dg.AssetsDefinition:
    """The asset over `partitions`."""
    return dg.asset(
        name=NAME,
        partitions_def=partitions,
        config_schema={},  # none, where Dagster would take anything
        check_specs=checks.specs(NAME, [verdicts.REPORT_EQUALS, verdicts.KEYS_UNCHANGED], partitions),
        io_manager_key="publication_io",
        kinds={"csv"},
        tags={"data": "client"},
        code_version="1",
    )(encrypted_report_csv)


def encrypted_report_csv(
    context: dg.AssetExecutionContext,
    active_accounts: Snapshot,
    esg_ratings: Ratings,
    ratings_parts: dg.ResourceParam[RatingsParts],
    publications: dg.ResourceParam[Publications],
    history: dg.ResourceParam[History],
    rules: dg.ResourceParam[Rules],
    run_lease: dg.ResourceParam[RunLease],
    places: dg.ResourceParam[Places],
) -> Iterator[dg.AssetCheckResult | dg.Output[Publication]]:
    """The report of the day as CSV, AES-256-GCM sealed to its recipients; published once it is proved.

    The same content publishes nothing new; other content of a published date is its next version.
    """
    with told_to(context):
        run_lease.hold(context)
        snapshot, table = active_accounts, esg_ratings.outcomes
        counts = outcomes.counts(table)
        past = verdicts.Past.of(history.latest_before(snapshot.partition))
        _refuse_blocked(snapshot, verdicts.on_publication(snapshot.count, counts, past, rules.limits))
        reason, requested_by = run_reasons.why_and_who(context, snapshot)
        draft = publications.draft(snapshot, report.render(snapshot, table), reason=reason)
        verdict = _read_back(publications, draft, snapshot, esg_ratings)
        if verdict.blocks:
            yield from checks.results([verdict], NAME, places)
            raise Tampered(_differs(snapshot, verdict.note))
        publication = draft.unchanged or publications.publish(
            draft,
            counts,
            esg_ratings.parts,
            run_id=context.run.run_id,
            requested_by=requested_by or (corrections.NOBODY if draft.version > 1 else ""),
            reason=reason or _reason_of_ours(publications, snapshot, esg_ratings, ratings_parts),
        )
        keys = publications.key_changes(publication).verdict
    yield dg.Output(
        publication,
        metadata={
            **_metadata(publication, new=draft.unchanged is None),
            **rows_written(NAME, publication.rows, snapshot.metrics),
            **links.of_materialization(places, snapshot.partition),
        },
    )
    yield from checks.results([verdict, keys], NAME, places)


def _reason_of_ours(
    publications: Publications, snapshot: Snapshot, ratings: Ratings, parts: RatingsParts
) -> str:
    """Why the next version is made where nobody said why; "" for a date that is not published."""
    published = publications.latest(snapshot.partition)
    return "" if published is None else corrections.what_was_done(published, snapshot, ratings, parts)


def _refuse_blocked(snapshot: Snapshot, found: list[Verdict]) -> None:
    blocking = [verdict.note for verdict in found if verdict.blocks]
    if blocking:
        raise ReportBlocked(
            f"Publishing the report of {snapshot.partition}: {'; '.join(blocking)}. Nothing was published. "
            "When the cause is mended run the date again: it asks only for what is open."
        )


def _read_back(publications: Publications, draft: Draft, snapshot: Snapshot, ratings: Ratings) -> Verdict:
    if (published := draft.unchanged) is not None:
        note = f"version {published.version} has the same content already; nothing new was published"
        return Verdict(verdicts.REPORT_EQUALS, passed=True, note=note, measured={"rows": published.rows})
    read = publications.reads_back(draft, report.render(snapshot, ratings.outcomes))
    return verdicts.report_equals(
        snapshot.count, equal=read.equal, sealed_bytes=read.sealed_bytes, what=read.what
    )


def _differs(snapshot: Snapshot, note: str) -> str:
    return (
        f"Publishing the report of {snapshot.partition}: {note}. Nothing was published. Look at the records "
        "store (`esg-assets doctor`), then run again."
    )


def _metadata(publication: Publication, *, new: bool) -> Metadata:
    return {
        "rows": publication.rows,
        "version": publication.version,
        "chain_entry": publication.sequence,
        "published": "now" if new else "before, with the same content",
        "sealed_bytes": publication.report.bytes,
        "object": publication.report.key,
        "sha256_of_ciphertext": publication.report.sha256,
        "recipients": list(publication.recipients),
        "accounts_as_of": publication.accounts_as_of,
    }
