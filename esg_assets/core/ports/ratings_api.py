"""The ESG Portfolio Analysis API: how it may be called, a call, and the shapes of its replies.

What came back is a Reply of `core.ratings`; how it reads is a ReplyShape of `core.reply_shapes`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from esg_assets.core.ratings import Reply
from esg_assets.core.reply_shapes import ReplyShape


@dataclass(frozen=True)
class CallPolicy:
    """How the provider may be called; shown in the run's metadata.

    Attributes:
        rate: calls per second in total, never exceeded.
        burst: calls at once.
        concurrency: calls in flight at most.
        timeout_seconds: for one whole call, connect to last byte.
        max_attempts: tries of one account in one run.
        max_retry_after_seconds: a longer Retry-After is treated as this.
        outage_seconds: after this long without a good answer the run ends with what it has.
        backoff_seconds: the longest wait after an account's first failed try; it doubles with each.
        backoff_cap_seconds: the longest wait ever, unless the provider asks for more.
    """

    rate: float = 50.0
    burst: int = 1
    concurrency: int = 64
    timeout_seconds: float = 30.0
    max_attempts: int = 5
    max_retry_after_seconds: float = 900.0
    outage_seconds: float = 1800.0
    backoff_seconds: float = 0.5
    backoff_cap_seconds: float = 30.0


class RatingsApi(Protocol):
    """The external ESG Portfolio Analysis API; safe to call from many threads."""

    @property
    def policy(self) -> CallPolicy:
        """Rate limit and retry policy in force."""

    @property
    def accounts_per_call(self) -> int:
        """The most accounts that one call may ask for; 1 unless the provider offers more."""

    def ask(self, account_id: str, as_of: date) -> Reply:
        """`ask_many` of one account."""

    def ask_many(
        self,
        account_ids: Sequence[str],
        as_of: date,
        wait_for_slot: Callable[[], None] | None = None,
        etag: str = "",
    ) -> Reply:
        """One call for several accounts. Never raises for what the other side does: that is in the Reply.

        Where the provider answers in pages, the Reply's body is all of them.

        Args:
            account_ids: 1 to `accounts_per_call`, unique.
            as_of: the date asked for.
            wait_for_slot: called before each further page, since that is one more call to the
                provider: it returns when a slot of the rate is taken, and what it raises is raised
                here. Without it no further page is asked for, and a reply that has one is a
                Fault.BAD_RESPONSE.
            etag: of an answer that is kept: of one account the provider may say 304, unchanged.

        Raises:
            AccessDenied: no token could be had with these credentials.
        """

    def close(self) -> None:
        """Release connections; nothing is asked afterwards."""


class ReplyShapes(Protocol):
    """The shapes of replies by the mapping that describes them, as it is frozen with a snapshot."""

    def of(self, mapping: str) -> ReplyShape:
        """The shape that ESG_API_MAPPING's canonical text describes; "" is the contract's.

        Raises:
            SettingsWrong: the text describes none.
        """
