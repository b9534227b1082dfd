"""What observations and recoveries do to the open incidents: a pure function, applied in one transaction.

* The same cause on the same date stays one incident, however often it is seen.
* A report that is not there in time is one matter: lateness folds into the incident that says why the
  date's runs fail, and a failing run into the lateness that was told already.
* It gets worse once: when the severity rises, or the date is given up.
* It ends when what it is about is well again; a later healthy date ends causes, but a missing report
  only ends with its publication.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from esg_assets.core.alerts.incidents import Facts, Incident, Observation, Recovery, State
from esg_assets.core.alerts.kinds import GIVEN_UP, KINDS, Family

BLOCKS = "blocks_publication"
"""The fact of a failed check (1 or 0) that says that nothing was published because of it."""

_LONGEST_KEY = 240
"""PagerDuty takes 255 characters, and a repeat adds a number."""


@dataclass(frozen=True)
class Change:
    """An incident after something was seen; `state` is what is to be told of it, None for nothing."""

    incident: Incident
    state: State | None


def key_of(environment: str, seen: Observation) -> str:
    """The key of a new incident, before a number for its repeats."""
    day = "-" if seen.date is None else seen.date.isoformat()
    key = "/".join(["esg", environment, day, seen.kind.name, *([seen.subject] if seen.subject else [])])
    return bounded(key, _LONGEST_KEY)


def bounded(name: str, longest: int) -> str:
    """`name`, cut to `longest` characters if need be, so that different ones stay different."""
    if len(name) <= longest:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:16]
    return f"{name[: longest - 17]}~{digest}"


def observed(environment: str, seen: Observation, open_incidents: Iterable[Incident]) -> Change:
    """The incident that an observation belongs to: an open one, or a new one."""
    candidates = sorted(open_incidents, key=lambda incident: incident.opened_at)
    same = next((i for i in candidates if _same_cause(seen, i)), None)
    known = same or next((i for i in candidates if _same_matter(seen, i)), None)
    if known is None:
        told_once = seen.kind.family is Family.NOTICE
        made = Incident(
            key=key_of(environment, seen),
            environment=environment,
            kind=seen.kind,
            severity=seen.level,
            opened_at=seen.at,
            seen_at=seen.at,
            date=seen.date,
            subject=seen.subject,
            unwell={} if told_once else {seen.kind.name: seen.at},
            kinds=frozenset({seen.kind.name}),
            facts=dict(seen.facts),
            run_id=seen.run_id,
            resolved_at=seen.at if told_once else None,
        )
        return Change(made, State.OPEN)
    worse = seen.level.rank > known.severity.rank or (
        seen.kind == GIVEN_UP and GIVEN_UP.name not in known.kinds
    )
    grown = replace(
        known,
        severity=max(known.severity, seen.level, key=lambda severity: severity.rank),
        seen_at=max(known.seen_at, seen.at),
        unwell={**known.unwell, seen.kind.name: max(seen.at, known.unwell.get(seen.kind.name, seen.at))},
        kinds=known.kinds | {seen.kind.name},
        occurrences=known.occurrences + 1,
        facts={**known.facts, **seen.facts},
        run_id=seen.run_id or known.run_id,
    )
    return Change(grown, State.WORSE if worse else None)


def recovered(recovery: Recovery, open_incidents: Iterable[Incident]) -> Sequence[Change]:
    """The incidents of which something is well again; one with nothing unwell left has ended."""
    changes = []
    for incident in open_incidents:
        well = _made_well(recovery, incident)
        if not well:
            continue
        left = {name: at for name, at in incident.unwell.items() if name not in well}
        changed = replace(incident, unwell=left)
        if not left:
            # What a later date's recovery says of that date is not so of this one.
            known = recovery.facts if recovery.date == incident.date else {}
            changed = replace(changed, resolved_at=recovery.at, facts={**incident.facts, **known})
        changes.append(Change(changed, None if left else State.RESOLVED))
    return changes


def _same_cause(seen: Observation, incident: Incident) -> bool:
    return (incident.kind, incident.date, incident.subject) == (seen.kind, seen.date, seen.subject)


def _same_matter(seen: Observation, incident: Incident) -> bool:
    if seen.date is None or seen.date != incident.date:
        return False
    late = seen.kind.family is Family.LATENESS or _is_late(incident)
    return (
        late
        and _keeps_the_report_away(seen.kind.family, seen.facts)
        and _keeps_the_report_away(incident.kind.family, incident.facts)
    )


def _keeps_the_report_away(family: Family, facts: Facts) -> bool:
    if family is Family.CHECK:
        return bool(facts.get(BLOCKS))
    return family in {Family.ENDING, Family.LATENESS}


def _is_late(incident: Incident) -> bool:
    return any(name in KINDS and KINDS[name].family is Family.LATENESS for name in incident.kinds)


def _made_well(recovery: Recovery, incident: Incident) -> frozenset[str]:
    """Names of what is unwell of the incident and is well by this recovery."""
    if recovery.subject is not None and recovery.subject != incident.subject:
        return frozenset()
    same_date = recovery.date == incident.date
    if not same_date and not (
        recovery.earlier_dates
        and recovery.date is not None
        and incident.date is not None
        and incident.date < recovery.date
    ):
        return frozenset()
    return frozenset(
        name
        for name, seen_at in incident.unwell.items()
        if name in recovery.kinds
        and seen_at <= recovery.at
        # A missing report ends with its own publication alone, however healthy later nights are.
        and (same_date or KINDS[name].family is not Family.LATENESS)
    )
