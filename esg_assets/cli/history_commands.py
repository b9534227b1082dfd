"""`esg-assets history prune`: forget what is old now; what the daemon's schedule does every night."""

from datetime import UTC, datetime

from esg_assets.cli.answers import Answer
from esg_assets.cli.commands import Commands


def register(commands: Commands) -> None:
    """Add the command."""
    commands.add("history prune", prune)


def prune() -> Answer:
    """Remove old records of runs and alerts, and figures of reports that have expired; for cron.

    How long what is kept: ESG_RUN_RECORD_DAYS, ESG_ALERT_DAYS, ESG_HISTORY_YEARS. Never an alert that
    waits, nor figures of a report that can still be opened. The database remembers what was removed.
    """
    from esg_assets.forgetting import forgetting  # noqa: PLC0415 - slow to import
    from esg_assets.settings import dagster_home, load_settings  # noqa: PLC0415

    dagster_home()
    done = list(forgetting(load_settings("history prune")).run(datetime.now(UTC)))
    rows = {table: count for each in done for table, count in each.rows.items()}
    return Answer({"removed": rows}, [f"{str(each)[:1].upper()}{str(each)[1:]}." for each in done])
