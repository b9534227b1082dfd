"""What a log call says besides its sentence: a fixed event, and figures by name, for machines.

The sentence is for people, in Dagster's UI and on a terminal. Events and fields of log lines are listed
in docs/logs.md.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

EVENT = "esg_event"
FIELDS = "esg_fields"
"""`extra` of a log call: a fixed message, and a mapping of further fields."""


class Account:
    """An account that a line is about: shown by its pseudonym, or not at all; never by its id.

    It says nothing of itself, so that a handler that shows every `extra` shows no id.
    """

    __slots__ = ("reveal",)

    def __init__(self, account_id: str) -> None:
        self.reveal: Callable[[], str] = lambda: account_id
        """The id, for the maker of pseudonyms alone."""

    def __repr__(self) -> str:
        return "<account>"

    def __reduce__(self) -> str:
        raise TypeError("an account is not written anywhere")


def fields(event: str, **figures: object) -> dict[str, object]:
    """The `extra` of a log call.

    Args:
        event: the same words every time.
        figures: counts, seconds, our own words; an account as `Account`.
    """
    return {EVENT: event, FIELDS: figures}
