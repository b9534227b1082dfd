"""The daily partitions: partition D is the report dated D, in the firm's own time zone."""

from datetime import UTC, date, datetime

import dagster as dg

from esg_assets.core.central_time import TIMEZONE, central_date
from esg_assets.core.errors import Refused


def daily(first: date) -> dg.DailyPartitionsDefinition:
    """One partition a day from `first` on; `end_offset` 1, so that D exists on the morning of D."""
    return dg.DailyPartitionsDefinition(start_date=first.isoformat(), timezone=TIMEZONE, end_offset=1)


def partition_of(context: dg.AssetExecutionContext) -> date:
    """The report's date of a running step.

    Raises:
        Refused: it is in the future. Dagster takes any date from a run's tags, and a report that was
            published before its day would stand in the chain for ever.
    """
    day, today = date.fromisoformat(context.partition_key), central_date(datetime.now(UTC))
    if day > today:
        raise Refused(
            f"Making the report of {day}: the date is in the future, today is {today} in US Central time. "
            "Nothing was done; run it on its day."
        )
    return day
