"""How alerts write dates and times: US Central with the zone's name, in English whatever the locale."""

from datetime import date, datetime

from esg_assets.core.central_time import CENTRAL

_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def day(of: date) -> str:
    """Such as `24 November 2026`."""
    return f"{of.day} {_MONTHS[of.month - 1]} {of.year}"


def moment(at: datetime) -> str:
    """Such as `05:07 CST, 24 November 2026`. Raises ValueError for a time without a zone."""
    if at.tzinfo is None:
        raise ValueError("a time without a zone")
    local = at.astimezone(CENTRAL)
    return f"{local:%H:%M} {local.tzname()}, {day(local)}"


def moment_of(text: object) -> str:
    """A fact that is an ISO text as `moment` writes it; "" for what is none."""
    found = parsed(text)
    return "" if found is None else moment(found)


def parsed(text: object) -> datetime | None:
    """A fact that is an ISO text with a zone; None for what is none."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return None if found.tzinfo is None else found
