"""How far a collection has come: the figures that logs, `status` and the summary show."""

import math
from collections import Counter
from dataclasses import dataclass, field

from esg_assets.core.latencies import Latencies
from esg_assets.core.ratings import Status

LATENCY_SHARE = 1 / 32
"""How much one call counts in the average of their times."""


@dataclass
class Progress:
    """What a run has done so far; counts of calls and accounts, times in seconds.

    Attributes:
        wanted: accounts that this run asks for.
        ended: how many of them have an outcome, by status.
        calls: calls sent.
        retries: calls beyond the first of their account.
        refusals: answers 429.
        rate: calls per second allowed now.
        outage: whether the provider is taken to be down.
        latency: seconds that a call takes, averaged over the last few dozen.
        latencies: seconds that every call took.
        speed: accounts that ended per second since the progress was told last; 0 if not known yet.
    """

    wanted: int
    rate: float
    calls: int = 0
    retries: int = 0
    refusals: int = 0
    outage: bool = False
    latency: float = 0.0
    speed: float = 0.0
    ended: Counter[Status] = field(default_factory=Counter)
    latencies: Latencies = field(default_factory=Latencies)

    def took(self, seconds: float) -> None:
        """A call took so long."""
        self.latencies.took(seconds)
        self.latency += (seconds - self.latency) * (LATENCY_SHARE if self.latency else 1.0)

    def too_few_in_flight(self, concurrency: int) -> str:
        """What to say if the rate cannot be reached with `concurrency` calls in flight; "" if it can."""
        wanted = math.ceil(self.rate * self.latency)
        if self.outage or wanted <= concurrency:
            return ""
        return (
            f"{concurrency:,} calls in flight that take {self.latency:.2f} s each make "
            f"{concurrency / self.latency:,.0f} calls/s of the {self.rate:,.4g} allowed; the whole rate "
            f"needs ESG_API_CONCURRENCY={wanted} or more"
        )

    @property
    def left(self) -> int:
        """Accounts of this run without an outcome."""
        return self.wanted - self.ended.total()

    @property
    def seconds_left(self) -> float:
        """At the speed that was seen, or else at the allowed rate; retries may add to it."""
        return self.left / (self.speed or self.rate)

    @property
    def short(self) -> str:
        """What a bar cannot show, in a few words: failures, rate, refusals, time left."""
        doing = "no answer, probing" if self.outage else f"{self.rate:,.4g}/s"
        words = [f"{self.ended[Status.FAILED]:,} failed", doing]
        words += [f"{self.refusals:,} refused"] if self.refusals else []
        words += [f"{self.seconds_left:,.0f} s left"] if self.left else []
        return ", ".join(words)

    @property
    def note(self) -> str:
        """The same in full."""
        failed = self.ended[Status.FAILED]
        text = (
            f"{failed:,} failed, {self.calls:,} calls at up to {self.rate:,.4g}/s, {self.retries:,} retries, "
            f"{self.refusals:,} refused for the rate"
        )
        if self.outage:
            return text + "; the provider does not answer, one call every few seconds asks whether it is back"
        return text + (f", about {self.seconds_left:,.0f} s left" if self.left else "")

    def __str__(self) -> str:
        return f"{self.ended.total():,} of {self.wanted:,} accounts done, {self.note}"
