"""How leases wait for one another: by asking again, seldom enough not to be noticed."""

import time
from collections.abc import Callable

from esg_assets.core.errors import LeaseBusy

_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 1.0


def take(attempt: Callable[[], bool], wait_seconds: float, busy: Callable[[], LeaseBusy]) -> None:
    """Call `attempt` until it returns True or `wait_seconds` have passed; then raise what `busy` makes."""
    deadline, pause = time.monotonic() + wait_seconds, _FIRST_PAUSE
    while not attempt():
        left = deadline - time.monotonic()
        if left <= 0:
            raise busy()
        time.sleep(min(pause, left))
        pause = min(2 * pause, _LONGEST_PAUSE)


def busy_message(name: str, holder: str) -> LeaseBusy:
    """What is said of a lease that somebody else holds."""
    by = f"run {holder}" if holder else "another run"
    return LeaseBusy(
        f"{name} is held by {by}. It is free as soon as that run has ended; then run this again."
    )
