"""How long to wait before the next try: a server's Retry-After, and exponential back-off with full jitter.

Pure functions: the clock and the dice come as arguments. Whether to try again at all is decided in
`esg_assets.core.collection` (per-account calls) and in the adapters (pages, tokens, webhooks).
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime

_SECONDS = re.compile(r"([+-]?)([0-9]+(?:\.[0-9]+)?)")
_MONTHS = [
    "Jan",
    "Feb",
    "Mar",
    "Apr",
    "May",
    "Jun",
    "Jul",
    "Aug",
    "Sep",
    "Oct",
    "Nov",
    "Dec",
]  # English in every locale
_MONTH = rf"(?P<month>{'|'.join(_MONTHS)})"
_CLOCK = r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"
_DAY_NAME = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_LONG_DAY_NAME = r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"
_DATES = (
    # IMF-fixdate: Sun, 06 Nov 1994 08:49:37 GMT
    re.compile(rf"{_DAY_NAME}, (?P<day>[0-9]{{2}}) {_MONTH} (?P<year>[0-9]{{4}}) {_CLOCK} GMT"),
    # RFC 850, obsolete: Sunday, 06-Nov-94 08:49:37 GMT
    re.compile(rf"{_LONG_DAY_NAME}, (?P<day>[0-9]{{2}})-{_MONTH}-(?P<year>[0-9]{{2}}) {_CLOCK} GMT"),
    # asctime, obsolete: Sun Nov  6 08:49:37 1994
    re.compile(rf"{_DAY_NAME} {_MONTH} (?P<day>[ 0-9][0-9]) {_CLOCK} (?P<year>[0-9]{{4}})"),
)
_MOST_DOUBLINGS = 62  # far above any cap, far below what a float can hold


def retry_after_seconds(text: str | None, now: float, cap: float) -> float | None:
    """Seconds to wait, from the text of a Retry-After field (RFC 9110 §10.2.3). Never raises.

    Args:
        text: the field's value, or None if it was not sent. Delta seconds (a fraction is taken
            too: some servers send one), or an HTTP-date in any of the three forms of RFC 9110 §5.6.7.
        now: the clock when the answer came, in seconds since 1970, for the dates.
        cap: a longer wait is treated as this.

    Returns:
        0.0 to `cap`, 0.0 for the past; None where there is nothing that can be understood.
    """
    if text is None:
        return None
    text = text.strip()
    number = _SECONDS.fullmatch(text)
    if number:
        sign, digits = number.groups()
        # float() takes any number of digits (int() stops at 4,300), and too many are infinity.
        return 0.0 if sign == "-" else min(float(digits), cap)
    moment = _http_date(text, now)
    return None if moment is None else min(max(moment - now, 0.0), cap)


def _http_date(text: str, now: float) -> float | None:
    """Seconds since 1970 of an HTTP-date, or None."""
    for form in _DATES:
        found = form.fullmatch(text)
        if found:
            break
    else:
        return None
    try:
        year, short = int(found["year"]), len(found["year"]) == len("94")
        if short:
            year += datetime.fromtimestamp(now, UTC).year // 100 * 100
        moment = _moment(found, year)
        if short and moment > _years_later(now, 50):
            # RFC 9110: more than 50 years ahead means the latest past year with these two digits.
            moment = _moment(found, year - 100)
    except (ValueError, OverflowError, OSError):
        return None  # such as 31 February, or a clock outside of datetime's years
    return moment


def _moment(found: re.Match[str], year: int) -> float:
    second = int(found["second"])
    leap = second == 60  # noqa: PLR2004  # the 61st second of a minute: the grammar allows it, datetime doesn't
    start = datetime(
        year,
        _MONTHS.index(found["month"]) + 1,
        int(found["day"]),
        int(found["hour"]),
        int(found["minute"]),
        second - leap,
        tzinfo=UTC,
    )
    return start.timestamp() + leap


def _years_later(now: float, years: int) -> float:
    return now + years * 365.2425 * 86_400


def full_jitter(attempt: int, base: float, cap: float, random: Callable[[], float]) -> float:
    """Seconds to wait after failed try number `attempt`: anywhere from 0 to base * 2 ** (attempt - 1).

    Full jitter spreads callers that failed together over the whole interval, so they don't come back
    together.

    Args:
        attempt: 1 after the first try, 2 after the second …
        base: longest wait after the first try, in seconds.
        cap: longest wait ever, in seconds.
        random: a number from 0 to 1, such as `random.Random(seed).random`.
    """
    doublings = min(max(attempt - 1, 0), _MOST_DOUBLINGS)
    return random() * min(cap, base * 2.0**doublings)
