"""Whether the provider lets this client in at all: known as soon as it has answered for one account.

Refusals before that may be the client's and not the accounts': they are kept back until then. Which
account is asked when is `esg_assets.core.collection`.
"""

from datetime import date

from esg_assets.core.errors import AccessDenied
from esg_assets.core.ratings import Outcome

PROBES_BEFORE_FAN_OUT = 4
"""Calls in flight at most until one account has been answered: a wrong key must not cost a thousand calls."""

DENIALS_TO_STOP = 10
"""So many calls refused and none answered means that the client as a whole is refused."""


class Admission:
    """Not known at first; `proved` once an account was answered, for good."""

    def __init__(self) -> None:
        self.proved = False
        self._kept_back: list[Outcome] = []
        self._denials = 0
        self._status: int | None = None

    def answered(self) -> None:
        """The provider has answered for an account."""
        self.proved = True

    def certain(self, refused: Outcome) -> list[Outcome]:
        """The outcome of a refused account if it is its own; kept back while that is not known."""
        if self.proved:
            return [refused]
        self._kept_back.append(refused)
        return []

    def released(self) -> list[Outcome]:
        """What was kept back and is certain now; each is given once."""
        if not self.proved:
            return []
        found, self._kept_back = self._kept_back, []
        return found

    def denied(self, status: int) -> bool:
        """Count a refused call, of that HTTP status; whether it is enough to give up."""
        if self.proved:
            return False
        self._denials += 1
        self._status = status
        return self._denials >= DENIALS_TO_STOP

    def refusal(self, as_of: date) -> AccessDenied | None:
        """The error of a client that was refused and never answered, None for any other.

        The accounts are not failures of their own: nothing is kept of them.
        """
        if self.proved or not self._denials:
            return None
        return AccessDenied(
            f"Asking for ratings as of {as_of}: the provider refused all of the first {self._denials} calls "
            f"({self._status}) and rated no account, so the run stopped before asking for the others. Check "
            "the credentials and what they may read (ESG_API_AUTH and the settings that go with it; "
            "`esg-assets doctor` tries them), then run again."
        )
