"""US Central time, the firm's own: reports are dated, scheduled and due in it."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

TIMEZONE = "America/Chicago"
CENTRAL = ZoneInfo(TIMEZONE)


def central_date(moment: datetime) -> date:
    """The date in US Central time at `moment` (which has a time zone)."""
    return moment.astimezone(CENTRAL).date()
