"""The firm's account system: whose accounts there are."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Protocol


class AccountSource(Protocol):
    """The firm's account system."""

    @property
    def kind(self) -> str:
        """One of http, sql and file: for messages and metadata; never a location."""

    def read(self, as_of: date | None) -> Iterator[Sequence[Mapping[str, object]]]:
        """Rows under the source's own field names, in batches of at most 10,000.

        Args:
            as_of: accounts as they were at the end of that day; None means as they are now.

        Raises:
            NoHistory: `as_of` was given and the source keeps no history (raised before any row).
            AccessDenied, SourceUnavailable, AccountsRefused (the source contradicts itself: a total
            that disagrees with what arrived).
        """
