"""What is sent for one call: method, URL and body from templates, and where its further pages are.

Sending it lives in `client`; reading ESG_API_MAPPING, which describes the templates, in `mapping`.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal
from urllib.parse import quote, urljoin, urlsplit

from esg_assets.adapters.esg_api.json_paths import JsonPath
from esg_assets.core.rating_bodies import InvalidRating, parse

Ids = Literal["path", "query", "comma", "json"]
"""Where the ids go: one path segment, a repeated query parameter, one that is comma-joined, a JSON list."""

ID, IDS, AS_OF, OFFSET = "{account_id}", "{account_ids}", "{as_of}", "{offset}"

CONTRACT_MOST = 100
"""Accounts in one call, by the contract."""

_ONE_READING = re.compile(r"[!-~]+")  # ASCII without blanks: no two parsers differ on where such a URL leads


@dataclass(frozen=True)
class Outgoing:
    """One request: `url` is whole, `body` is JSON or None."""

    method: str
    url: str
    body: bytes | None = None


@dataclass(frozen=True)
class Paging:
    """How a provider answers one call in several pages.

    Attributes:
        next: finds the URL of the next page in a page; nothing found ends the pages.
        most: pages of one call at most.
        size: entries of a page, for templates with {offset}; 0 where none has it.
    """

    next: JsonPath
    most: int
    size: int = 0


@dataclass(frozen=True)
class RequestShape:
    """How the provider wants to be asked.

    Attributes:
        path: below the base URL; may hold {account_id} (with ids=path) and {as_of}.
        method: GET or POST.
        query: parameters; values may hold {as_of} and {offset}; one is {account_ids} where ids is
            query or comma.
        body: JSON of a POST; texts may hold {as_of}; {account_ids} (with ids=json) and {offset}, each
            as a whole text, become a list and a number.
        ids: how ids are put.
        ids_per_call: accounts that one call asks for at most.
        paging: None where every answer is whole.
    """

    path: str
    method: Literal["GET", "POST"] = "GET"
    query: Mapping[str, str] = field(default_factory=dict)
    body: object = None
    ids: Ids = "path"
    ids_per_call: int = 1
    paging: Paging | None = None

    def request(self, base_url: str, account_ids: Sequence[str], as_of: date) -> Outgoing | None:
        """The request for these accounts; None if one of them cannot be asked for safely."""
        try:
            put = [quote(account_id, safe="") for account_id in account_ids]
        except UnicodeEncodeError:  # a lone surrogate
            return None
        if self._unsafe(account_ids):
            return None
        day = as_of.isoformat()
        path = self.path.replace(AS_OF, day)
        if self.ids == "path":
            path = path.replace(ID, put[0])
        parameters = [part for item in self.query.items() for part in self._parameter(*item, put, day)]
        url = f"{base_url}{path}" + (f"?{'&'.join(parameters)}" if parameters else "")
        return Outgoing(self.method, url, self._body(account_ids, day, 0))

    def page(
        self, before: Outgoing, found: object, account_ids: Sequence[str], as_of: date, number: int
    ) -> Outgoing | None:
        """The request for page `number` (from 1) at the link that `before` brought.

        None if the link leads to another origin or could be understood in two ways: our token goes
        nowhere else.
        """
        if type(found) is not str or not _ONE_READING.fullmatch(found) or "\\" in found:
            return None
        here = urlsplit(before.url)
        try:
            there = urlsplit(urljoin(before.url, found))
            same = (there.scheme, there.hostname, _port(there.scheme, there.port)) == (
                here.scheme,
                here.hostname,
                _port(here.scheme, here.port),
            )
        except ValueError:
            return None
        if not same or "@" in there.netloc:
            return None
        size = 0 if self.paging is None else self.paging.size
        url = f"{here.scheme}://{here.netloc}{there.path}" + (f"?{there.query}" if there.query else "")
        return Outgoing(self.method, url, self._body(account_ids, as_of.isoformat(), number * size))

    def _unsafe(self, account_ids: Sequence[str]) -> bool:
        if self.ids == "comma":
            return any("," in account_id or not account_id for account_id in account_ids)
        if self.ids == "path":
            # URL parsers fold "." and ".." away even when they are percent-encoded, and an empty
            # segment would name the list: each would ask for something else than this account.
            return not {"", ".", ".."}.isdisjoint(account_ids)
        return "" in account_ids

    def _parameter(self, name: str, value: str, put: Sequence[str], day: str) -> list[str]:
        if value == IDS:
            return [f"{name}={','.join(put)}"] if self.ids == "comma" else [f"{name}={one}" for one in put]
        # A next link has the further offsets in it.
        return [f"{name}={quote(value.replace(AS_OF, day).replace(OFFSET, '0'), safe='')}"]

    def _body(self, account_ids: Sequence[str], day: str, offset: int) -> bytes | None:
        if self.body is None:
            return None
        filled = _filled(self.body, {IDS: list(account_ids), OFFSET: offset}, day)
        return json.dumps(filled, ensure_ascii=False, separators=(",", ":")).encode()


def next_link(paging: Paging, page: bytes) -> object:
    """What stands where a page says where the next one is; None, false or "" for the last page."""
    try:
        return paging.next.find(parse(page, lenient=True)) or None
    except InvalidRating:
        return None


def merged(pages: Sequence[bytes]) -> bytes:
    """The pages of one call as one JSON document: the only page as it came, or a list of them."""
    return pages[0] if len(pages) == 1 else b"[" + b",".join(pages) + b"]"


def _filled(template: object, whole: Mapping[str, object], day: str) -> object:
    if isinstance(template, str):
        return whole[template] if template in whole else template.replace(AS_OF, day)
    if isinstance(template, Mapping):
        return {name: _filled(value, whole, day) for name, value in template.items()}
    if isinstance(template, list):
        return [_filled(value, whole, day) for value in template]
    return template


def _port(scheme: str, port: int | None) -> int:
    return port or (443 if scheme == "https" else 80)


CONTRACT_ONE = RequestShape("/v1/accounts/{account_id}/esg-rating", query={"as_of": AS_OF})
"""The contract's call for one account."""


def contract_several(ids_per_call: int) -> RequestShape:
    """The contract's call for up to `ids_per_call` accounts."""
    query = {"account_id": IDS, "as_of": AS_OF}
    return RequestShape("/v1/esg-ratings", query=query, ids="query", ids_per_call=ids_per_call)
