"""The job nightly_esg_report: the four assets and their checks, for one partition."""

import dagster as dg

NIGHTLY = "nightly_esg_report"

nightly_esg_report = dg.define_asset_job(
    NIGHTLY,
    selection=dg.AssetSelection.all(),
    config={"loggers": {"console": {}}},  # ours; without it Dagster prints its own lines besides
    description="Accounts in, rated and sealed report out, for the report dated as the partition.",
)
