"""Every error this package raises on purpose, and nothing else.

    EsgError
    ├── Refused               a repeat cannot help until somebody changes something
    │   ├── SettingsWrong       a setting is missing or wrong (exit status 2)
    │   ├── AccountsRefused     the account list breaks a rule; nothing was stored
    │   ├── NoHistory           the account system keeps no history for the date asked for
    │   ├── AccessDenied        the provider or account system refuses the client as a whole
    │   ├── ReportBlocked       a verdict stops the publication
    │   ├── ReasonWanted        a published report may only be corrected with a reason
    │   ├── ChannelRefused      an alert channel will never take this message
    │   └── Tampered            something stored is not what was signed or sealed
    ├── Unavailable           the same run later may well succeed
    │   ├── SourceUnavailable   the account system does not answer
    │   ├── ApiUnavailable      the ratings provider does not answer
    │   ├── StoreUnavailable    a store or database does not answer
    │   ├── KeysUnavailable     the key service does not answer
    │   └── ChannelUnavailable  an alert channel does not take a message just now
    ├── LeaseBusy             another run holds the date or the provider's rate
    ├── Stopped               the run was told to stop and has kept what it had
    ├── KeyExists             an object of that name is there already
    └── KeyMissing            no object of that name

A message says what was being done, what happened (with numbers), for which date, and what to do
next. It never holds an account id, a name, a score, a URL, a query's parameters or a secret: these
messages end in logs, in Dagster's event log and in alerts. Adapters translate their library's
exceptions at their edge and raise with `from None` where the original text could hold any of that.
"""

from collections.abc import Sequence
from dataclasses import dataclass


class EsgError(Exception):
    """Base of every error raised on purpose; `str(error)` can be shown to anybody."""


class Refused(EsgError):
    """A repeat cannot help until somebody changes something."""


class SettingsWrong(Refused):
    """A setting is missing or wrong; names the setting, what it holds (masked), what is wanted."""


@dataclass(frozen=True)
class RowProblem:
    """One fault in the account list, without any value of the row.

    Attributes:
        row: 1-based position in the order the source sent the rows; 0 for the list as a whole.
        field: our name of the column, or "" for the row as a whole.
        reason: why it is refused, such as "account_id is empty".
    """

    row: int
    field: str
    reason: str

    def __str__(self) -> str:
        return f"row {self.row:,}: {self.reason}" if self.row else self.reason


class AccountsRefused(Refused):
    """The account list breaks a rule; nothing was stored."""

    def __init__(self, message: str, problems: Sequence[RowProblem] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)


class NoHistory(Refused):
    """The account system keeps no history, so it cannot say who was active on a past date."""


class AccessDenied(Refused):
    """The other side refuses this client as a whole: wrong credentials or no permission."""


class ReportBlocked(Refused):
    """A verdict stops the publication; nothing was published."""


class ReasonWanted(Refused):
    """A report published before the working window may only be corrected with a reason."""


class ChannelRefused(Refused):
    """An alert channel will never take this message."""


class Tampered(Refused):
    """Something stored does not match what was signed or sealed."""

    def __init__(self, message: str, *, behind: str = "") -> None:
        """With `behind`: the head that is remembered of a chain and that the store does not hold.

        That refusal ends by itself: when the entries are back, or when somebody accepts their loss.
        """
        super().__init__(message)
        self.behind = behind


class Unavailable(EsgError):
    """The other side does not answer; the same run later may well succeed."""


class SourceUnavailable(Unavailable):
    """The account system does not answer."""


class ApiUnavailable(Unavailable):
    """The ratings provider does not answer."""


class StoreUnavailable(Unavailable):
    """A store or the database does not answer, or is full."""


class KeysUnavailable(Unavailable):
    """The key service (KMS) does not answer, or takes no more calls just now."""


class ChannelUnavailable(Unavailable):
    """An alert channel does not take a message just now.

    Attributes:
        retry_after_seconds: how long the channel asked to be left alone; None if it did not say.
    """

    def __init__(self, message: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class LeaseBusy(EsgError):
    """Another run holds what was asked for."""


class Stopped(EsgError):
    """The run was told to stop; what had arrived is kept and the next run goes on from there."""


class KeyExists(EsgError):
    """An object of that name is there already."""


class KeyMissing(EsgError):
    """There is no object of that name."""
