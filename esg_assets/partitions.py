"""The daily partitions: partition D is the report dated D, in the firm's own time zone."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import dagster as dg

TIMEZONE = "America/Chicago"


def daily(first: date) -> dg.DailyPartitionsDefinition:
    """One partition a day from `first` on; `end_offset` 1, so that D exists on the morning of D."""
    return dg.DailyPartitionsDefinition(start_date=first.isoformat(), timezone=TIMEZONE, end_offset=1)


def central_date(moment: datetime) -> date:
    """The date in US Central time at `moment` (which has a time zone)."""
    return moment.astimezone(ZoneInfo(TIMEZONE)).date()


def partition_of(context: dg.AssetExecutionContext) -> date:
    """The report's date of a running step."""
    return date.fromisoformat(context.partition_key)
