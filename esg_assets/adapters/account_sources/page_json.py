"""One page of the account system's JSON: what it holds, and whether it is a page at all.

Fetching pages lives in `page_client`, putting them together in `http`. What an account must look like
is judged in `esg_assets.core.account_rows`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal


class NotJson(Exception):
    """The body is no JSON text: cut off, or something else altogether."""


class WrongPage(Exception):
    """The body is JSON, but no page of accounts; the text says why, without any value."""

    def __init__(self, reason: str, row: int = 0) -> None:
        super().__init__(reason)
        self.row = row  # 1-based within the page, 0 for the page as a whole


@dataclass(frozen=True)
class Page:
    """A page that was judged.

    Attributes:
        body: its JSON text, as sent: the most compact form to keep until all pages are there.
        count: accounts in it.
        next_cursor: of the next page, None on the last one.
        total: accounts over all pages, None if the system doesn't say.
    """

    body: bytes
    count: int
    next_cursor: str | None
    total: int | None


def read_page(body: bytes) -> Page:
    """Judge a page.

    Raises:
        NotJson: no JSON text in UTF-8 (NaN and Infinity are none either).
        WrongPage: not a page of the contract, or a name stands twice in an object.
    """
    document = _parsed(body, unique_names=True)
    if not isinstance(document, dict):
        raise WrongPage("the answer is no JSON object")
    accounts = document.get("accounts")
    if not isinstance(accounts, list):
        raise WrongPage("accounts is no list")
    for place, account in enumerate(accounts):
        if not isinstance(account, dict):
            raise WrongPage("an account is no JSON object", place + 1)
    if "next_cursor" not in document:
        raise WrongPage("next_cursor is missing")
    cursor, total = document["next_cursor"], document.get("total")
    if cursor is not None and (not isinstance(cursor, str) or not cursor):
        raise WrongPage("next_cursor is neither a text nor null")
    if total is not None and (not isinstance(total, int) or isinstance(total, bool) or total < 0):
        raise WrongPage("total is no count")
    return Page(body, len(accounts), cursor, total)


def rows_of(page: Page) -> list[Mapping[str, object]]:
    """The accounts of a page that `read_page` judged. Numbers with a fraction are Decimals: exact."""
    document = _parsed(page.body, unique_names=False)
    assert isinstance(document, dict)
    rows: list[Mapping[str, object]] = document["accounts"]
    return rows


def problem_code(body: bytes) -> str:
    """The code of an RFC 9457 problem document, "" where there is none."""
    try:
        document = _parsed(body, unique_names=False)
    except NotJson:
        return ""
    code = document.get("code") if isinstance(document, dict) else None
    return code if isinstance(code, str) else ""


def _parsed(body: bytes, *, unique_names: bool) -> object:
    try:
        return json.loads(
            body.decode("utf-8-sig"),
            parse_float=Decimal,
            parse_constant=_no_constant,
            object_pairs_hook=_unique if unique_names else None,
        )
    # RecursionError: nested too deeply; ValueError also for an integer of more than 4,300 digits.
    except (ValueError, RecursionError):
        pass
    # Outside of the handler, so that no part of the text goes along with the new exception.
    raise NotJson


def _no_constant(name: str) -> object:
    raise ValueError(name)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise WrongPage("a name stands twice in one object")
    return found
