"""The asset daily_summary: the sealed exact summary, and the rounded figures that anybody may see.

The figures are `esg_assets.core.figures`, what may stand in the clear `esg_assets.core.disclosure`,
the words `esg_assets.core.summary_words`.
"""

from datetime import UTC, datetime

import dagster as dg

from esg_assets.asset_metadata import Metadata, fence
from esg_assets.core.accounts import Snapshot
from esg_assets.core.comparison import compare
from esg_assets.core.differencing import UNCHANGED, Differences, Shown, held
from esg_assets.core.disclosure import clear
from esg_assets.core.figures import figures, side_by_side
from esg_assets.core.history import PublishedReport, RunRecord
from esg_assets.core.ports import History, RatingsParts, Snapshots
from esg_assets.core.publication import Publication
from esg_assets.core.publishing import Publications
from esg_assets.core.rules import Rules
from esg_assets.core.sealed_ratings import Ratings, SealedRatings
from esg_assets.core.summary import failed_accounts, summary_chunks, summary_document
from esg_assets.core.summary_words import Summary, summary_markdown, summary_text
from esg_assets.failures import told_to
from esg_assets.run_effort import software
from esg_assets.run_lease import RunLease

NAME = "daily_summary"


def define(partitions: dg.PartitionsDefinition) -> dg.AssetsDefinition:
    """The asset over `partitions`."""

    @dg.asset(
        name=NAME,
        partitions_def=partitions,
        config_schema={},  # none, where Dagster would take anything
        owners=["team:esg-pipeline"],
        kinds={"python"},
        tags={"data": "aggregates"},
        code_version="1",
    )
    def daily_summary(
        context: dg.AssetExecutionContext,
        active_accounts: Snapshot,
        esg_ratings: Ratings,
        encrypted_report_csv: Publication,
        publications: dg.ResourceParam[Publications],
        snapshots: dg.ResourceParam[Snapshots],
        ratings_parts: dg.ResourceParam[RatingsParts],
        history: dg.ResourceParam[History],
        rules: dg.ResourceParam[Rules],
        run_lease: dg.ResourceParam[RunLease],
    ) -> dg.MaterializeResult[None]:
        """What the day's report says, in figures: exact and sealed, and rounded for everybody."""
        with told_to(context):
            run_lease.hold(context)
            snapshot, ratings, publication = active_accounts, esg_ratings, encrypted_report_csv
            published = publication.as_published()
            rows = side_by_side(snapshot.accounts, ratings.outcomes)
            exact = figures(rows, rules.figures(snapshot.as_of, snapshot.metrics))
            run = _run(published, ratings.sealed, datetime.now(UTC))
            if publication.summary is None:
                document = summary_document(
                    published, exact, run, recipients=publication.recipients, software=software()
                )
                failed = failed_accounts(ratings.outcomes.to_batches())
                publications.publish_summary(publication, summary_chunks(document, failed))
            shown = Shown(history.latest(published.report_date), history.latest_before(published.report_date))
            cleared = held(
                clear(exact, rules.min_cell),
                day=published.report_date,
                version=published.version,
                shown=shown,
                differing=Differences(snapshot, ratings.outcomes, rules.figures, snapshots, ratings_parts),
                min_cell=rules.min_cell,
            )
            history.record_publication(published, cleared)
            summary = Summary(
                published=published,
                figures=cleared,
                run=run,
                change=compare(cleared, shown.before),
                currency=exact.weighting.currency,
                min_cell=rules.min_cell,
                min_coverage_pct=rules.min_coverage_pct,
                max_rating_age_days=rules.max_rating_age_days,
                metrics=snapshot.metrics,
                head=str(history.head() or ""),
            )
        return dg.MaterializeResult(metadata=_metadata(summary))

    return daily_summary


def _run(published: PublishedReport, sealed: SealedRatings, ended_at: datetime) -> RunRecord:
    """How the report came about, over all runs of its date (`run_records` has each run by itself)."""
    return RunRecord(
        run_id=published.run_id,
        report_date=published.report_date,
        status="published",
        started_at=sealed.started_at,
        ended_at=ended_at,
        calls=sealed.effort.calls,
        retries=sealed.effort.retries,
        refusals=sealed.effort.refusals,
        seconds=sealed.effort.seconds,
        requested_by=published.requested_by,
        version=published.version,
    )


def _metadata(summary: Summary) -> Metadata:
    """The Markdown table, and every cleared figure as a number that Dagster plots over partitions."""
    plotted = {
        name.replace(".", "_"): value
        for name, value in summary.figures.items()
        if value is not None and not name.startswith(UNCHANGED)
    }
    return {
        "summary": dg.MetadataValue.md(summary_markdown(summary)),
        "text": dg.MetadataValue.md(fence("\n".join(summary_text(summary)))),
        "version": summary.published.version,
        "chain_entry": summary.published.sequence,
        "chain_head": summary.head,
        "calls": summary.run.calls,
        "retries": summary.run.retries,
        "seconds": summary.run.seconds,
        **plotted,
    }
