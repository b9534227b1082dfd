"""When a message that a channel did not take is tried again. It is never given up."""

from datetime import datetime, timedelta

FIRST_SECONDS = 15.0
LONGEST_SECONDS = 900.0
LONGEST_RETRY_AFTER_SECONDS = 3600.0


def retry_at(
    now: datetime, attempts: int, jitter: float, retry_after_seconds: float | None = None
) -> datetime:
    """The next try after one that failed.

    Args:
        now: when it failed.
        attempts: deliveries of this message that failed before this one.
        jitter: from 0 to 1, so that what failed together does not come back together.
        retry_after_seconds: what the channel asked for; taken for at most an hour.

    Returns:
        After half to a whole of 15, 30, 60 … 900 seconds, or what the channel asked for if it is more.
    """
    grown = min(LONGEST_SECONDS, FIRST_SECONDS * 2 ** min(attempts, 10))
    wait = grown * (0.5 + jitter / 2)
    asked = min(retry_after_seconds or 0.0, LONGEST_RETRY_AFTER_SECONDS)
    return now + timedelta(seconds=max(wait, asked))
