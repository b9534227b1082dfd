"""What the provider says of one account: replies, ratings, outcomes and the vocabulary for them.

Turning a reply into an outcome lives in `esg_assets.core.replies`; when to ask again in
`esg_assets.core.collection`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Literal


class Status(StrEnum):
    """How an account ended, as it stands in the report's `processing_status`."""

    SUCCESS = "SUCCESS"
    NOT_RATED = "NOT_RATED"
    FAILED = "FAILED"


class Reason(StrEnum):
    """Why an account has no scores, as it stands in the report's `reason`."""

    NOT_COVERED = "not_covered"
    REJECTED = "rejected"
    UNAUTHORIZED = "unauthorized"
    RATE_LIMITED = "rate_limited"
    TIMEOUT = "timeout"
    UNAVAILABLE = "unavailable"
    BAD_RESPONSE = "bad_response"

    @property
    def transient(self) -> bool:
        """Whether a later run may end better: these are asked again by `--refresh failed`."""
        return self in TRANSIENT_REASONS


TRANSIENT_REASONS = frozenset({Reason.RATE_LIMITED, Reason.TIMEOUT, Reason.UNAVAILABLE, Reason.BAD_RESPONSE})

PILLARS = ("environmental", "social", "governance")


@dataclass(frozen=True)
class Metric:
    """A further metric that ESG_METRICS asks for, such as waci_tco2e_per_musd_revenue."""

    name: str
    unit: str
    better: Literal["higher", "lower"]

    def __str__(self) -> str:
        return f"{self.name}:{self.unit}:{self.better}"


@dataclass(frozen=True, slots=True)
class Rating:
    """The scores of one account; numbers keep the text the provider sent (52.50 stays 52.50).

    Scores run from 0 to 100, higher is better. `metrics` holds only the metrics asked for that the
    provider sent, by name, as number texts. `methodology_version` is the provider's own label of how it
    rates, "" where it states none.
    """

    as_of: date
    overall_score: str
    environmental_score: str
    social_score: str
    governance_score: str
    primary_focus: str
    rating: str = ""
    coverage_pct: str = ""
    metrics: Mapping[str, str] = field(default_factory=dict)
    methodology_version: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one account ended in one run.

    Attributes:
        account_id: the account.
        status: SUCCESS, NOT_RATED or FAILED.
        reason: None exactly when status is SUCCESS.
        rating: present exactly when status is SUCCESS.
        attempts: tries made in the run that ended with this outcome; 0 where none was needed.
        last_status: the last HTTP status seen, None if no answer came.
        raw: the provider's last body, as received after decompression (empty if none came, cut to
            16 KiB if it brought nobody a rating). Of a call for several accounts the first outcome
            keeps the body and those that follow it, with an empty one, share it.
        etag: the provider's name for this answer, "" if it sent none: with it a refresh is cheap.
    """

    account_id: str
    status: Status
    reason: Reason | None = None
    rating: Rating | None = None
    attempts: int = 0
    last_status: int | None = None
    raw: bytes = b""
    etag: str = ""


class Fault(StrEnum):
    """Why a call brought no HTTP answer that could be read."""

    TIMEOUT = "timeout"
    UNAVAILABLE = "unavailable"  # refused, reset, DNS, TLS, proxy
    BAD_RESPONSE = "bad_response"  # not HTTP, endless headers, body over the bound, broken encoding
    LOCAL_REFUSAL = "local_refusal"  # this id cannot be asked for safely ("." and ".."); no call made


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back from one call: either an HTTP status with a body, or a fault.

    Attributes:
        status: HTTP status, or None when `fault` is set.
        body: after decompression, at most 1 MiB.
        fault: set exactly when no usable HTTP answer came.
        retry_after: the Retry-After field's text, as sent, or None.
        received_at: wall clock of the answer in seconds since 1970 (for an HTTP-date Retry-After).
        seconds: how long the call took.
        token_renewed: the client answered a 401 by getting a new token, so one more try is due.
        headers: the answer's rate-limit and validator fields only, names in lower case
            (ratelimit*, x-ratelimit-*, etag).
    """

    status: int | None
    body: bytes = b""
    fault: Fault | None = None
    retry_after: str | None = None
    received_at: float = 0.0
    seconds: float = 0.0
    token_renewed: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
