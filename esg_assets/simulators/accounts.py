"""The accounts that the account system serves: from a CSV file, or generated.

A book hands out positions in ascending order of account id, so that a page is a slice; an account's
JSON is made when a page is.
"""

from array import array
from pathlib import Path
from typing import NamedTuple, Protocol

from esg_assets.simulators.csv_input import Row, WrongInput, read_rows
from esg_assets.simulators.exchange import json_text

LONGEST_ID = 64
STATUSES = ("active", "closed", "suspended")

_TEXTS = ("account_name", "account_type", "base_currency")


class Life(NamedTuple):
    """Since when an account is what it is.

    Attributes:
        status: one of STATUSES, as of now.
        opened_on: full-date or "": not listed before it.
        status_since: full-date or "": a closed or suspended account was active before it.
    """

    status: str
    opened_on: str = ""
    status_since: str = ""

    def at(self, as_of: str | None) -> str:
        """The status at the end of `as_of` (None: now); "" before the account was opened."""
        if as_of is None:
            return self.status
        if as_of < self.opened_on:
            return ""
        return "active" if as_of < self.status_since else self.status


class Account(NamedTuple):
    """One account: its id, and its fields but id and status as JSON members with a comma in front."""

    account_id: str
    life: Life
    fields: str

    def json(self, status: str) -> str:
        """The contract's Account with that status."""
        return f'{{"account_id":{json_text(self.account_id)},"status":"{status}"{self.fields}}}'


class AccountBook(Protocol):
    """Accounts by position, ascending by account id (Unicode code points)."""

    def __len__(self) -> int:
        """How many accounts there are, whatever their status."""

    def account(self, position: int) -> Account:
        """The account at a position from 0."""

    def life(self, position: int) -> Life:
        """`account(position).life`, which can be had for less."""

    def knows(self, account_id: str) -> bool:
        """Whether there is such an account."""


def listing(book: AccountBook, status: str, as_of: str | None) -> "array[int]":
    """Positions of the accounts that had that status at the end of `as_of` (None: now)."""
    return array("L", (at for at in range(len(book)) if book.life(at).at(as_of) == status))


class CsvAccounts:
    """Accounts of a CSV file with the contract's columns; only account_id and status are required.

    A further column `status_since` (a date) says since when a closed or suspended account is so;
    other columns are not sent.
    """

    def __init__(self, path: Path) -> None:
        _, rows = read_rows(path, needed=("account_id", "status"))
        self._accounts = sorted((_account(row) for row in rows), key=lambda a: a.account_id)
        self._ids = {a.account_id for a in self._accounts}

    def __len__(self) -> int:
        return len(self._accounts)

    def account(self, position: int) -> Account:
        """The account at a position from 0."""
        return self._accounts[position]

    def life(self, position: int) -> Life:
        """The life of the account at a position."""
        return self._accounts[position].life

    def knows(self, account_id: str) -> bool:
        """Whether there is such an account."""
        return account_id in self._ids


def _account(row: Row) -> Account:
    account_id, status = row.needed("account_id"), row.needed("status")
    if len(account_id) > LONGEST_ID:
        raise WrongInput(
            f"{row.where}: account_id has {len(account_id)} characters; {LONGEST_ID} is the most"
        )
    if status not in STATUSES:
        raise WrongInput(f"{row.where}: status is none of {', '.join(STATUSES)}")
    fields = [f',"{name}":{json_text(row.text(name))}' for name in _TEXTS if row.text(name)]
    if market_value := row.number("market_value"):
        fields.append(f',"market_value":{market_value}')
    if advisor_id := row.text("advisor_id"):
        fields.append(f',"advisor_id":{json_text(advisor_id)}')
    if opened_on := row.day("opened_on"):
        fields.append(f',"opened_on":"{opened_on}"')
    return Account(account_id, Life(status, opened_on, row.day("status_since")), "".join(fields))
