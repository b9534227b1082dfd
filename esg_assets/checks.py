"""The asset checks: one factory for their specs, one translation of verdicts, one check of its own.

What is judged, and by which numbers, is in `esg_assets.core.verdicts`; here it is only shown.
"""

import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date

import dagster as dg

from esg_assets import links
from esg_assets.core import verdicts
from esg_assets.core.alerts.wording import Places
from esg_assets.core.publishing import Publications
from esg_assets.core.verdicts import Verdict
from esg_assets.failures import told_to

DESCRIPTIONS = {
    verdicts.ACCOUNTS_COMPLETE: "Every account id is present, well formed and unique.",
    verdicts.ACCOUNT_COUNT: "The number of accounts is plausible against the latest earlier report.",
    verdicts.ONE_OUTCOME: "active = SUCCESS + NOT_RATED + FAILED: each account ends in exactly one outcome.",
    verdicts.FAILURE_RATE: "Few enough accounts failed.",
    verdicts.NOT_RATED_RATE: "Few enough accounts are unrated, and not many more than in the report before.",
    verdicts.REPORT_EQUALS: "The sealed report, read back from the store, is what the ratings say.",
    verdicts.RATINGS_DRIFT: "The ratings look like those of the report before: no jump, drift or lost field.",
    verdicts.KEYS_UNCHANGED: "The report is sealed to and signed with the same keys as the one before it.",
    verdicts.STILL_VERIFIES: "The published report still is, byte for byte, what the signed chain says.",
}

BLOCKING = {verdicts.ACCOUNTS_COMPLETE, verdicts.ONE_OUTCOME, verdicts.REPORT_EQUALS}
"""Stop what lies downstream in the same run; at the BLOCK levels `encrypted_report_csv` refuses besides."""


def specs(asset: str, names: Iterable[str], partitions: dg.PartitionsDefinition) -> list[dg.AssetCheckSpec]:
    """Specs of the checks that `asset` yields itself, one result for each partition."""
    with partitioned_checks():
        return [
            dg.AssetCheckSpec(
                name,
                asset=asset,
                description=DESCRIPTIONS[name],
                blocking=name in BLOCKING,
                partitions_def=partitions,
            )
            for name in names
        ]


def results(found: Iterable[Verdict], asset: str, places: Places) -> Iterator[dg.AssetCheckResult]:
    """Verdicts as Dagster shows them; one that is not passed leads to its section of the runbook.

    To be yielded after the asset's output, or before an error that keeps it from having one: a result
    belongs to the materialization that stands when it is yielded, and Dagster stops showing it on the
    partition once there is a newer one.
    """
    for verdict in found:
        yield dg.AssetCheckResult(
            passed=verdict.passed,
            asset_key=asset,
            check_name=verdict.check,
            severity=dg.AssetCheckSeverity[verdict.severity],
            description=verdict.note,
            metadata={
                **verdict.measured,
                "blocks_publication": verdict.blocks,
                **({} if verdict.passed else links.runbook_of(places, verdict.check)),
            },
        )


def report_still_verifies(partitions: dg.PartitionsDefinition) -> dg.AssetChecksDefinition:
    """The check that can be run at any later time on any published date."""
    with partitioned_checks():

        @dg.asset_check(
            asset="encrypted_report_csv",
            name=verdicts.STILL_VERIFIES,
            description=DESCRIPTIONS[verdicts.STILL_VERIFIES],
            partitions_def=partitions,
        )
        def still_verifies(
            context: dg.AssetCheckExecutionContext,
            publications: dg.ResourceParam[Publications],
            places: dg.ResourceParam[Places],
        ) -> dg.AssetCheckResult:
            with told_to(context):
                found = publications.verify(date.fromisoformat(context.partition_key))
                note = "; ".join(f.what for f in found.faults) or (
                    f"chain of {found.entries:,} entries and every object of {context.partition_key} verify"
                )
                return dg.AssetCheckResult(
                    passed=found.ok,
                    description=note,
                    metadata={
                        "entries": found.entries,
                        "faults": len(found.faults),
                        **({} if found.ok else links.runbook_of(places, verdicts.STILL_VERIFIES)),
                    },
                )

    return still_verifies


@contextmanager
def partitioned_checks() -> Iterator[None]:
    """Quiet for Dagster's preview warning on partitioned checks: the family is pinned to the patch for it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=dg.PreviewWarning, message=".*partitions_def.*")
        yield
