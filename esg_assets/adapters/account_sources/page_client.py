"""One page from the account system: credentials, what an answer means, and when to ask again.

A single request lives in `page_request`, what a page holds is judged in `page_json`; the order of pages,
totals and starting over live in `http`.
"""

from collections.abc import Mapping

import tenacity
from requests import codes

from esg_assets.adapters.account_sources.page_json import NotJson, Page, problem_code, read_page
from esg_assets.adapters.account_sources.page_request import Answer, PagePolicy, PageRequests, TryAgain, World
from esg_assets.core.errors import AccessDenied, NoHistory, SourceUnavailable
from esg_assets.core.ports import Authorization
from esg_assets.core.retry import full_jitter, retry_after_seconds


class CursorExpired(Exception):
    """410: the list has to be read again from its beginning."""


class PageClient:
    """Pages of one account system."""

    def __init__(
        self, requests: PageRequests, authorization: Authorization | None, policy: PagePolicy, world: World
    ) -> None:
        self._requests = requests
        self._authorization = authorization
        self._policy = policy
        self._world = world

    def page(self, parameters: Mapping[str, str], doing: str) -> Page:
        """One page.

        Args:
            parameters: of the query.
            doing: what messages begin with: which page, for which date.

        Raises:
            CursorExpired: the cursor among the parameters is not known any more.
            WrongPage: the answer is JSON but no page.
            NoHistory, AccessDenied, SettingsWrong.
            SourceUnavailable: no page after all tries, or an answer that no further try would change.
        """
        began = self._world.monotonic()
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(TryAgain),
            wait=self._wait,
            stop=lambda state: self._is_last(state, began),
            sleep=self._world.sleep,
            reraise=True,
        )
        try:
            return retrying(self._try, parameters, doing)
        except TryAgain as last:
            what = str(last)
        tries = int(retrying.statistics["attempt_number"])
        raise SourceUnavailable(
            f"{doing}: the account system {what} (after {tries} {'try' if tries == 1 else 'tries'}). "
            "Nothing was stored. A later run may succeed; if it lasts, see to the account system, and check "
            "ESG_ACCOUNTS_URL and the settings beside it."
        )

    def _wait(self, state: tenacity.RetryCallState) -> float:
        assert state.outcome is not None
        error = state.outcome.exception()
        if isinstance(error, TryAgain) and error.retry_after is not None:
            return error.retry_after
        policy = self._policy
        return full_jitter(
            state.attempt_number, policy.first_wait_seconds, policy.max_wait_seconds, self._world.random
        )

    def _is_last(self, state: tenacity.RetryCallState, began: float) -> bool:
        elapsed = self._world.monotonic() - began
        return (
            state.attempt_number >= self._policy.max_attempts
            or elapsed + state.upcoming_sleep > self._policy.outage_seconds
        )

    def _try(self, parameters: Mapping[str, str], doing: str) -> Page:
        answer = self._authorized(parameters)
        self._judge(answer, parameters, doing)
        try:
            return read_page(answer.body)
        except NotJson:
            pass
        raise TryAgain("answered 200 with something that is no JSON")

    def _authorized(self, parameters: Mapping[str, str]) -> Answer:
        """An answer; after a 401, the one to new credentials."""
        if self._authorization is None:
            return self._requests.send(parameters, {})
        headers = self._authorization.headers()
        answer = self._requests.send(parameters, headers)
        if answer.status == codes.unauthorized and self._authorization.renew(headers):
            answer = self._requests.send(parameters, self._authorization.headers())
        return answer

    def _judge(self, answer: Answer, parameters: Mapping[str, str], doing: str) -> None:
        """Return for a 200, raise for everything else."""
        status = answer.status
        if status == codes.ok:
            return
        if status == codes.gone and "cursor" in parameters:
            raise CursorExpired
        if status in (codes.request_timeout, codes.too_many_requests) or status >= codes.server_error:
            wait = retry_after_seconds(
                answer.retry_after, self._world.clock(), self._policy.max_retry_after_seconds
            )
            raise TryAgain(f"answered {status}", wait)
        if status in (codes.unauthorized, codes.forbidden):
            raise AccessDenied(
                f"{doing}: the account system answered {status}, it refuses this client. Nothing was stored. "
                "Check ESG_ACCOUNTS_AUTH and the credentials beside it, and what they are allowed to read."
            )
        if status == codes.bad_request and problem_code(answer.body) == "as_of_unsupported":
            raise NoHistory(
                f"{doing}: the account system keeps no history, it only knows today's accounts. "
                "Nothing was stored. Today's date can be run; for an earlier one, --current-accounts takes "
                "today's accounts, and the report says so."
            )
        redirect = (
            ", a redirect, and none is followed"
            if codes.multiple_choices <= status < codes.bad_request
            else ""
        )
        raise SourceUnavailable(
            f"{doing}: the account system answered {status}{redirect}. Nothing was stored. "
            "Check that ESG_ACCOUNTS_URL is the base URL of the account system."
        )
