"""Incidents: what was seen, what is open, and the messages that follow. All times have a zone."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from esg_assets.core.alerts.kinds import Kind, Severity

Facts = Mapping[str, int | float | str]
"""What is known of an incident, by name: counts, shares, times as ISO texts, fixed words of ours. Never
of an account, never another's text. The names that `wording` knows are listed there."""


class State(StrEnum):
    """What a message says of its incident."""

    OPEN = "open"
    WORSE = "worse"
    RESOLVED = "resolved"


@dataclass(frozen=True)
class Observation:
    """Something wrong was seen.

    Attributes:
        kind: what it is.
        evidence: names what was seen, so that it counts once however often it is looked at: such as
            `run:<id>:failed` or `late:2026-11-24`. At most 250 characters.
        at: when it happened, with a time zone.
        date: the report's date, None if it concerns none.
        subject: tells causes of one kind apart: an error's type, a sensor's name.
        severity: None for the kind's own.
        facts: what is known.
        run_id: the run that it was seen at, "" if none.
    """

    kind: Kind
    evidence: str
    at: dt.datetime
    date: dt.date | None = None
    subject: str = ""
    severity: Severity | None = None
    facts: Facts = field(default_factory=dict)
    run_id: str = ""

    @property
    def level(self) -> Severity:
        """How bad it is."""
        return self.severity or self.kind.severity


@dataclass(frozen=True)
class Recovery:
    """Something was seen to be well: an incident of which nothing else is unwell ends with it.

    Attributes:
        evidence, at, run_id: as in Observation.
        kinds: names of the kinds that are well.
        date: the report's date that is well; None for kinds without a date.
        subject: only incidents of this subject; None for all.
        earlier_dates: whether incidents of earlier dates end too (the next night was healthy).
        facts: what the message of the end says besides.
    """

    evidence: str
    at: dt.datetime
    kinds: frozenset[str]
    date: dt.date | None = None
    subject: str | None = None
    earlier_dates: bool = False
    facts: Facts = field(default_factory=dict)
    run_id: str = ""


@dataclass(frozen=True)
class Incident:
    """One cause on one date in one environment, from its opening to its end.

    Attributes:
        key: `esg/<environment>/<date or ->/<kind>[/<subject>]`, with `#2` and so on if it opened again
            after its end: the dedup key of PagerDuty.
        unwell: names of the kinds that were seen of it, the first one included, and have not been seen
            to be well since, each with the time of its latest observation.
        kinds: names of all kinds that were ever seen of it.
        severity: the worst so far.
        opened_at, seen_at: of the first and the latest observation.
        occurrences: observations that count.
        facts: of all observations, the latest counts.
        run_id: of the latest observation that had one.
        resolved_at: None while it is open.
    """

    key: str
    environment: str
    kind: Kind
    severity: Severity
    opened_at: dt.datetime
    seen_at: dt.datetime
    date: dt.date | None = None
    subject: str = ""
    unwell: Mapping[str, dt.datetime] = field(default_factory=dict)
    kinds: frozenset[str] = frozenset()
    occurrences: int = 1
    facts: Facts = field(default_factory=dict)
    run_id: str = ""
    resolved_at: dt.datetime | None = None


@dataclass(frozen=True)
class Message:
    """One message to one audience over one channel: it is sent until the channel acknowledges it.

    Attributes:
        id: in the outbox.
        incident: as it was when the message was queued.
        state: what is told of it.
        channel, audience: names of `routes`.
        queued_at: when it was queued.
        attempts: deliveries that failed before.
    """

    id: int
    incident: Incident
    state: State
    channel: str
    audience: str
    queued_at: dt.datetime
    attempts: int = 0

    @property
    def identity(self) -> str:
        """The same for every repeat of this message, and for no other one: for Message-ID and receipts."""
        return f"{self.incident.key}/{self.state}/{self.channel}/{self.audience}"
