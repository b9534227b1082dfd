"""The job nightly_esg_report: the four assets and their checks, for one partition."""

import dagster as dg

NIGHTLY = "nightly_esg_report"

OWN_LINES: dict[str, dict[str, dict[str, object]]] = {"loggers": {"console": {}}}
"""Run config by which a run's lines are ours alone; without it Dagster prints its own of them besides."""

nightly_esg_report = dg.define_asset_job(
    NIGHTLY,
    selection=dg.AssetSelection.all(),
    config=OWN_LINES,
    description="Accounts in, rated and sealed report out, for the report dated as the partition.",
)
