"""Accounts from an account system over HTTP, page by page (the contract: account_system.openapi.yaml).

One page, with its retries, is fetched in `page_client`. This module puts pages together into one list
that agrees with itself, or none at all.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from esg_assets.adapters.account_sources.page_client import CursorExpired, PageClient
from esg_assets.adapters.account_sources.page_json import Page, WrongPage, rows_of
from esg_assets.adapters.account_sources.page_request import (
    PagePolicy,
    PageRequests,
    Transport,
    World,
    pages_url,
)
from esg_assets.core.errors import AccountsRefused, RowProblem, SourceUnavailable
from esg_assets.core.ports import Authorization

_LARGEST_BATCH = 10_000
_MOST_EXPIRIES = 3
_MOST_CONTRADICTIONS = 1
_MOST_PAGES = 100_000  # no book has so many: such a list has no end


class HttpAccountSource:
    """The firm's account system over HTTP.

    The whole list is fetched before the first row is handed on: a cursor that expires, or a list that
    changes while it is read, makes the reading start over, and no row may come twice. Until then pages
    are kept as the text they came as, some 200 bytes an account.
    """

    kind = "http"

    def __init__(
        self,
        base_url: str,
        authorization: Authorization | None = None,
        transport: Transport | None = None,
        policy: PagePolicy | None = None,
        world: World | None = None,
    ) -> None:
        """
        Args:
            base_url: ESG_ACCOUNTS_URL; /v1/accounts is added here.
            authorization: credentials; None sends none.
            transport: certificates and proxy.
            policy: bounds, time-outs and retries.
            world: clocks, sleep and dice.

        Raises:
            SettingsWrong: the URL cannot be used (see `page_request.pages_url`).
        """
        pages_url(base_url)  # a wrong setting shows now, not at five in the morning
        self._base_url = base_url
        self._authorization = authorization
        self._transport = transport or Transport()
        self._policy = policy or PagePolicy()
        self._world = world or World()

    def read(self, as_of: date | None) -> Iterator[Sequence[Mapping[str, object]]]:
        """See `esg_assets.core.ports.AccountSource.read`."""
        doing = f"Reading the accounts as of {as_of or 'now'}"
        with PageRequests(self._base_url, self._transport, self._policy, self._world) as requests:
            client = PageClient(requests, self._authorization, self._policy, self._world)
            pages = _Reading(client, self._policy.page_size, as_of, doing).whole_list()
        while pages:
            rows = rows_of(pages.popleft())
            for start in range(0, len(rows), _LARGEST_BATCH):
                yield rows[start : start + _LARGEST_BATCH]


class _ListChanged(Exception):
    """The totals that came with two pages of one list differ: it changed while it was read."""

    def __init__(self, before: int, now: int) -> None:
        super().__init__(f"said there were {before:,} accounts on one page and {now:,} on another")


class _TotalWrong(Exception):
    """Fewer or more accounts arrived than the list said it has."""

    def __init__(self, total: int, arrived: int) -> None:
        super().__init__(f"said there were {total:,} accounts, and {arrived:,} arrived")


@dataclass
class _Reading:
    """One reading of the list, with all its beginnings."""

    client: PageClient
    page_size: int
    as_of: date | None
    doing: str

    def whole_list(self) -> deque[Page]:
        expiries = contradictions = 0
        while True:
            try:
                return self._one_pass()
            except CursorExpired:
                expiries += 1
                if expiries > _MOST_EXPIRIES:
                    break
            except (_ListChanged, _TotalWrong) as error:
                contradictions += 1
                if contradictions > _MOST_CONTRADICTIONS:
                    contradiction = error
                    break
        if expiries > _MOST_EXPIRIES:
            raise SourceUnavailable(
                f"{self.doing}: the account system's cursors expired {expiries} times before the last page. "
                "Nothing was stored. A later run may succeed; if not, its cursors must live longer."
            )
        refusal = f"{self.doing}: the account system {contradiction}, on two readings. Nothing was stored. "
        if isinstance(contradiction, _ListChanged):
            raise SourceUnavailable(refusal + "Run again once the list stands still.")
        raise AccountsRefused(
            refusal + "Have the account system put right, and run again.",
            [RowProblem(0, "", f"the source {contradiction}")],
        )

    def _one_pass(self) -> deque[Page]:
        pages: deque[Page] = deque()
        seen: set[str] = set()
        total: int | None = None
        arrived = 0
        cursor: str | None = None
        while True:
            page = self._page(cursor, len(pages) + 1, arrived)
            pages.append(page)
            arrived += page.count
            if total is not None and page.total is not None and page.total != total:
                raise _ListChanged(total, page.total)
            total = page.total if total is None else total
            if page.next_cursor is None:
                break
            if page.next_cursor in seen or len(pages) >= _MOST_PAGES:
                raise self._endless(len(pages))
            seen.add(page.next_cursor)
            cursor = page.next_cursor
        if total is not None and arrived != total:
            raise _TotalWrong(total, arrived)
        return pages

    def _page(self, cursor: str | None, number: int, arrived: int) -> Page:
        parameters = {"status": "active", "page_size": str(self.page_size)}
        if self.as_of is not None:
            parameters["as_of"] = self.as_of.isoformat()
        if cursor is not None:
            parameters["cursor"] = cursor
        try:
            return self.client.page(parameters, f"{self.doing}, page {number:,}")
        except WrongPage as error:
            reason, row = str(error), error.row
        raise AccountsRefused(
            f"{self.doing}, page {number:,}: {reason}. Nothing was stored. "
            "The account system does not keep to its contract; have it put right, and run again.",
            [RowProblem(arrived + row if row else 0, "", f"page {number:,}: {reason}")],
        )

    def _endless(self, number: int) -> AccountsRefused:
        reason = f"page {number:,} leads back to an earlier one, or the list has no end"
        return AccountsRefused(
            f"{self.doing}: {reason}. Nothing was stored. Have the account system put right, and run again.",
            [RowProblem(0, "", reason)],
        )
