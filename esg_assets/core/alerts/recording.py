"""A batch of what was seen, applied: the incidents as they are then, and the messages to queue.

Pure: an outbox loads what it knows, asks `applied`, and stores the outcome, all in one transaction.
One message goes to a target for each state of an incident:

* an opening to the targets of its severity; when it gets worse, to those that hear of it only then;
* the first worsening to the targets that were told of the opening;
* the end to every target that was told of the opening.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from esg_assets.core.alerts import ledger
from esg_assets.core.alerts.incidents import Incident, Observation, Recovery, State
from esg_assets.core.alerts.kinds import ALERT_REFUSED, DRILL, PUBLISHED, READY, Severity
from esg_assets.core.alerts.routes import BUSINESS, Routes, Target

LONGEST_EVIDENCE = 250


@dataclass(frozen=True)
class Queued:
    """A message to queue; `incident` as it is at that moment."""

    incident: Incident
    state: State
    target: Target


@dataclass(frozen=True)
class Known:
    """What an outbox holds before the batch.

    Attributes:
        open_incidents: all of them.
        recoveries: those recorded before that are as late as the batch's earliest observation or later:
            they hold for it too.
        told: by an open incident's key, the targets that messages were queued for, with the states; a
            target that refused the opening for good is without State.OPEN.
        openings: how many incidents began with that key (`ledger.key_of`), ended ones included.
    """

    open_incidents: Sequence[Incident]
    recoveries: Sequence[Recovery]
    told: Mapping[str, Mapping[Target, frozenset[State]]]
    openings: Callable[[str], int]


@dataclass
class Outcome:
    """What an outbox has to store.

    Attributes:
        incidents: those that changed, as they are after the batch, by key.
        causes: by the key of each new incident, the key that it began with, and its number from 1.
        messages: to queue, in order.
    """

    incidents: dict[str, Incident] = field(default_factory=dict)
    causes: dict[str, tuple[str, int]] = field(default_factory=dict)
    messages: list[Queued] = field(default_factory=list)


def evidence_name(seen: Observation | Recovery) -> str:
    """The evidence as it is remembered: a longer one than a database's column is cut."""
    return ledger.bounded(seen.evidence, LONGEST_EVIDENCE)


def in_order(seen: Iterable[Observation | Recovery]) -> list[Observation | Recovery]:
    """A batch oldest first, each evidence once, however it was ordered.

    What was seen to be well at the very moment of an observation is later than that. Times are in UTC.
    """
    found: dict[str, Observation | Recovery] = {}
    for one in sorted(seen, key=_order):
        found.setdefault(evidence_name(one), replace(one, at=one.at.astimezone(UTC)))
    return list(found.values())


def applied(
    environment: str, seen: Iterable[Observation | Recovery], known: Known, routes: Routes
) -> Outcome:
    """Apply evidence that is new, see `Known` and `Outcome`."""
    open_now = {incident.key: incident for incident in known.open_incidents}
    told = {key: dict(targets) for key, targets in known.told.items()}
    opened: Counter[str] = Counter()
    outcome = Outcome()

    def keep(change: ledger.Change) -> None:
        incident = change.incident
        outcome.incidents[incident.key] = incident
        if incident.resolved_at is None:
            open_now[incident.key] = incident
        else:
            open_now.pop(incident.key, None)
        for queued in list(_messages(change, told.get(incident.key, {}), routes)):
            outcome.messages.append(queued)
            states = told.setdefault(incident.key, {})
            states[queued.target] = states.get(queued.target, frozenset()) | {queued.state}

    for one in sorted([*in_order(seen), *known.recoveries], key=_order):
        if isinstance(one, Recovery):
            for change in ledger.recovered(one, list(open_now.values())):
                keep(change)
            continue
        change = ledger.observed(environment, one, open_now.values())
        if change.state is State.OPEN:
            cause = change.incident.key
            opened[cause] += 1
            number = known.openings(cause) + opened[cause]
            key = cause if number == 1 else f"{cause}#{number}"
            change = replace(change, incident=replace(change.incident, key=key))
            outcome.causes[key] = (cause, number)
        keep(change)
    return outcome


def targets(incident: Incident, routes: Routes) -> Sequence[Target]:
    """Who is told of the incident as it is.

    A drill goes everywhere; a refusal past who refuses. Of a publication readers are told once its figures
    are kept (READY), and everybody else as soon as it is there (PUBLISHED).
    """
    if incident.kind == DRILL:
        everywhere = (target for severity in reversed(Severity) for target in routes.targets(severity))
        return list(dict.fromkeys(everywhere))
    wanted = routes.targets(incident.severity)
    if incident.kind == ALERT_REFUSED:
        return [target for target in wanted if target.channel != incident.subject]
    if incident.kind in {PUBLISHED, READY}:
        of_readers = incident.kind == READY
        return [target for target in wanted if (target.audience == BUSINESS) == of_readers]
    return wanted


def _messages(
    change: ledger.Change, told: Mapping[Target, frozenset[State]], routes: Routes
) -> Iterable[Queued]:
    incident, state = change.incident, change.state
    if state in {State.OPEN, State.WORSE}:
        for target in targets(incident, routes):
            if target not in told:
                yield Queued(incident, State.OPEN, target)
    if state in {State.WORSE, State.RESOLVED}:
        for target, states in told.items():
            if State.OPEN in states and state not in states:
                yield Queued(incident, state, target)


def _order(one: Observation | Recovery) -> tuple[datetime, int, str, str, str]:
    if isinstance(one, Recovery):
        return (one.at, 1, one.evidence, ",".join(sorted(one.kinds)), one.subject or "")
    return (one.at, 0, one.evidence, one.kind.name, one.subject)
