"""The asset daily_summary: the sealed exact summary, and the rounded figures that anybody may see.

The figures are `esg_assets.core.figures`, what may stand in the clear `esg_assets.core.disclosure`,
the words `esg_assets.core.summary_words`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import dagster as dg

from esg_assets import checks, links
from esg_assets.asset_columns import schema_and_lineage
from esg_assets.asset_metadata import Metadata
from esg_assets.core.accounts import Snapshot
from esg_assets.core.alerts.wording import Places
from esg_assets.core.comparison import Comparison, compare
from esg_assets.core.differencing import Shown, held
from esg_assets.core.disclosure import clear
from esg_assets.core.drift import uncompared
from esg_assets.core.earlier_reports import EarlierReports
from esg_assets.core.figures import Figures, figures, side_by_side
from esg_assets.core.history import ClearFigures, PastReport, PublishedReport, RunRecord
from esg_assets.core.ports import History, RatingsParts, Snapshots
from esg_assets.core.publication import Publication
from esg_assets.core.publishing import Publications
from esg_assets.core.ratings import Metric, Status
from esg_assets.core.report_details import (
    PERIODS,
    PREVIOUS,
    Methods,
    ReportDetails,
    checks_of,
    periods,
)
from esg_assets.core.rules import Rules
from esg_assets.core.sealed_ratings import Ratings, SealedRatings
from esg_assets.core.summary import failed_accounts, summary_chunks, summary_document
from esg_assets.core.summary_words import Summary
from esg_assets.core.verdicts import (
    RATINGS_DRIFT,
    Past,
    Verdict,
    accounts_complete,
    on_publication,
    report_equals,
)
from esg_assets.failures import told_to
from esg_assets.run_effort import software
from esg_assets.run_lease import RunLease
from esg_assets.summary_metadata import plotted, shown_first

NAME = "daily_summary"


def define(partitions: dg.PartitionsDefinition) -> dg.AssetsDefinition:
    """The asset over `partitions`."""
    return dg.asset(
        name=NAME,
        partitions_def=partitions,
        config_schema={},  # none, where Dagster would take anything
        check_specs=checks.specs(NAME, [RATINGS_DRIFT], partitions),
        kinds={"python"},
        tags={"data": "aggregates"},
        code_version="1",
    )(daily_summary)


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
    places: dg.ResourceParam[Places],
) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    """What the day's report says, in figures: exact and sealed, and rounded for everybody.

    What is not sealed has passed disclosure control: over ESG_MIN_CELL accounts or more, or withheld.
    """
    with told_to(context):
        run_lease.hold(context)
        day = _day(active_accounts, esg_ratings, encrypted_report_csv, rules)
        if day.publication.summary is None:
            _seal(day, publications)
        earlier = EarlierReports(
            *(day.snapshot, day.ratings.outcomes, day.exact.weighting.currency),
            *(rules.figures, snapshots, ratings_parts),
            *(publications.versions, day.published.version),
        )
        shown = Shown(history.latest(day.date), history.latest_before(day.date))
        cleared, drift = _cleared(day, shown, earlier, rules), _drift(shown.before, earlier)
        keys = publications.key_changes(day.publication).verdict
        changes = periods(
            *(cleared, day.date, _earlier(history, day.published, shown.before)),
            *(earlier.compared, rules.min_cell),
        )
        details = ReportDetails(
            _methods(day.exact, rules, day.snapshot.metrics),
            software(),
            checks_of([*_verdicts(day, shown.before, rules), keys, drift]),
            changes,
            str(history.head() or ""),
        )
        history.record_publication(day.published, cleared)
        history.record_details(day.published, details.as_json())
        summary = _summary(day.published, cleared, day.run, compare(cleared, shown.before), details)
    yield dg.MaterializeResult(metadata=_metadata(day, summary, details, places))
    yield from checks.results([drift], NAME, places)


@dataclass(frozen=True)
class _Day:
    """What the summary is made of: the inputs, the exact figures, and how they came about."""

    snapshot: Snapshot
    ratings: Ratings
    publication: Publication
    published: PublishedReport
    exact: Figures
    run: RunRecord

    @property
    def date(self) -> date:
        """The report's."""
        return self.published.report_date


def _day(snapshot: Snapshot, ratings: Ratings, publication: Publication, rules: Rules) -> _Day:
    published = publication.as_published()
    rows = side_by_side(snapshot.accounts, ratings.outcomes)
    exact = figures(rows, rules.figures(snapshot.as_of, snapshot.metrics))
    run = _run(published, ratings.sealed, datetime.now(UTC))
    return _Day(snapshot, ratings, publication, published, exact, run)


def _seal(day: _Day, publications: Publications) -> None:
    """Publish the exact summary, for the recipients."""
    document = summary_document(
        *(day.published, day.exact, day.run),
        recipients=day.publication.recipients,
        software=software(),
    )
    failed = failed_accounts(day.ratings.outcomes.to_batches())
    publications.publish_summary(day.publication, summary_chunks(document, failed))


def _cleared(day: _Day, shown: Shown, earlier: EarlierReports, rules: Rules) -> ClearFigures:
    """The figures that anybody may see."""
    return held(
        {**clear(day.exact, rules.min_cell), **_collection(day.run)},
        day=day.date,
        version=day.published.version,
        shown=shown,
        differing=earlier.differing,
        min_cell=rules.min_cell,
    )


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


def _collection(run: RunRecord) -> ClearFigures:
    """What asking for the ratings took, for trends."""
    return {
        "collection.calls": run.calls,
        "collection.retries": run.retries,
        "collection.refusals": run.refusals,
        "collection.seconds": round(run.seconds, 1),
    }


def _drift(before: PastReport | None, earlier: EarlierReports) -> Verdict:
    """Whether the ratings look like those of the report before."""
    if before is None:
        return uncompared(None)
    day = before.published.report_date
    found = earlier.compared(day)
    return uncompared(day) if found is None else found.drift


def _earlier(
    history: History, published: PublishedReport, before: PastReport | None
) -> Mapping[str, PastReport | None]:
    """The reports that this one is compared with, by period."""
    day = published.report_date
    dated = {name: history.latest(day - timedelta(days=days)) for name, days in PERIODS.items() if days}
    return {PREVIOUS: before, **dated}


def _verdicts(day: _Day, before: PastReport | None, rules: Rules) -> list[Verdict]:
    """The verdicts that let the report be published, again; for its page."""
    publication, exact = day.publication, day.exact
    counts = {Status(status): n for status, n in exact.by_status.items()}
    return [
        accounts_complete(exact.accounts),
        *on_publication(exact.accounts, counts, Past.of(before), rules.limits),
        report_equals(publication.rows, equal=True, sealed_bytes=publication.report.bytes, what=""),
    ]


def _methods(exact: Figures, rules: Rules, metrics: tuple[Metric, ...]) -> Methods:
    return Methods(
        currency=exact.weighting.currency,
        min_cell=rules.min_cell,
        min_coverage_pct=rules.min_coverage_pct,
        max_rating_age_days=rules.max_rating_age_days,
        failure_warn=rules.limits.failure_warn,
        failure_error=rules.limits.failure_error,
        metrics=metrics,
    )


def _summary(
    published: PublishedReport,
    figures: ClearFigures,
    run: RunRecord,
    change: Comparison | None,
    details: ReportDetails,
) -> Summary:
    methods = details.methods
    return Summary(
        published=published,
        figures=figures,
        run=run,
        change=change,
        currency=methods.currency,
        min_cell=methods.min_cell,
        min_coverage_pct=methods.min_coverage_pct,
        max_rating_age_days=methods.max_rating_age_days,
        metrics=methods.metrics,
        head=details.head,
    )


def _metadata(day: _Day, summary: Summary, details: ReportDetails, places: Places) -> Metadata:
    past = PastReport(day.published, summary.figures, datetime.now(UTC))
    return {
        **shown_first(summary, past, details),
        **links.of_materialization(places, day.date),  # before the numbers
        **plotted(summary),
        **schema_and_lineage(NAME, day.snapshot.metrics),
    }
