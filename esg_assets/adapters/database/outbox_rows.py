"""Alerts as rows and back: what `SqlOutbox` stores. JSON holds what no query asks for."""

import math
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from esg_assets.core.alerts.incidents import Facts, Incident, Message, Observation, Recovery, State
from esg_assets.core.alerts.kinds import KINDS, Family, Kind, Severity
from esg_assets.core.alerts.recording import Queued, evidence_name

Row = sa.RowMapping | Mapping[str, Any]


def incident_row(incident: Incident) -> dict[str, Any]:
    """The columns of esg_incidents that change with the incident, and those that name it."""
    return {
        "key": incident.key,
        "environment": incident.environment,
        "kind": incident.kind.name,
        "severity": incident.severity.value,
        "report_date": incident.date,
        "subject": incident.subject,
        "opened_at": incident.opened_at,
        "seen_at": incident.seen_at,
        "resolved_at": incident.resolved_at,
        "occurrences": incident.occurrences,
        "run_id": incident.run_id,
        "unwell": {name: at.isoformat() for name, at in incident.unwell.items()},
        "kinds": sorted(incident.kinds),
        "facts": _plain(incident.facts),
    }


def incident_of(row: Row) -> Incident:
    """The incident of a row."""
    return Incident(
        key=row["key"],
        environment=row["environment"],
        kind=_kind(row["kind"], row["severity"]),
        severity=Severity(row["severity"]),
        opened_at=row["opened_at"],
        seen_at=row["seen_at"],
        date=row["report_date"],
        subject=row["subject"],
        unwell={name: datetime.fromisoformat(at) for name, at in row["unwell"].items()},
        kinds=frozenset(row["kinds"]),
        occurrences=row["occurrences"],
        facts=row["facts"],
        run_id=row["run_id"],
        resolved_at=row["resolved_at"],
    )


_INSTANTS = ("opened_at", "seen_at", "resolved_at")


def snapshot(incident: Incident) -> dict[str, Any]:
    """The incident as JSON, as it is now: what a message tells."""
    row = incident_row(incident)
    texts = {name: None if row[name] is None else row[name].isoformat() for name in _INSTANTS}
    return row | texts | {"report_date": None if incident.date is None else incident.date.isoformat()}


def message_of(row: Row) -> Message:
    """The message of a row of esg_messages."""
    held = dict(row["incident"])
    for name in _INSTANTS:
        held[name] = None if held[name] is None else datetime.fromisoformat(held[name])
    if held["report_date"] is not None:
        held["report_date"] = date.fromisoformat(held["report_date"])
    return Message(
        id=row["id"],
        incident=incident_of(held),
        state=State(row["state"]),
        channel=row["channel"],
        audience=row["audience"],
        queued_at=row["queued_at"],
        attempts=row["attempts"],
    )


def message_row(queued: Queued, incident_id: int, now: datetime) -> dict[str, Any]:
    """The columns of a new message, due at once."""
    return {
        "incident_id": incident_id,
        "environment": queued.incident.environment,
        "channel": queued.target.channel,
        "audience": queued.target.audience,
        "state": queued.state.value,
        "incident": snapshot(queued.incident),
        "queued_at": now,
        "attempts": 0,
        "next_at": now,
        "claimed_by": "",
        "receipt": "",
        "why": "",
    }


def evidence_row(environment: str, one: Observation | Recovery, now: datetime) -> dict[str, Any]:
    """The columns of a new evidence; a recovery is kept with what it says."""
    recovery = one if isinstance(one, Recovery) else None
    return {
        "environment": environment,
        "evidence": evidence_name(one),
        "recorded_at": now,
        "well_at": None if recovery is None else recovery.at,
        "recovery": None if recovery is None else recovery_json(recovery),
    }


def recovery_json(recovery: Recovery) -> dict[str, Any]:
    """What a recovery says is well, without its evidence and its time, which have columns."""
    return {
        "kinds": sorted(recovery.kinds),
        "date": None if recovery.date is None else recovery.date.isoformat(),
        "subject": recovery.subject,
        "earlier_dates": recovery.earlier_dates,
        "facts": _plain(recovery.facts),
        "run_id": recovery.run_id,
    }


def recovery_of(row: Row) -> Recovery:
    """The recovery of a row of esg_evidence."""
    held = row["recovery"]
    return Recovery(
        evidence=row["evidence"],
        at=row["well_at"],
        kinds=frozenset(held["kinds"]),
        date=None if held["date"] is None else date.fromisoformat(held["date"]),
        subject=held["subject"],
        earlier_dates=held["earlier_dates"],
        facts=held["facts"],
        run_id=held["run_id"],
    )


def _kind(name: str, severity: str) -> Kind:
    """A kind by its name; one of another version of this package is still told of."""
    return KINDS.get(name) or Kind(name, Family.MACHINERY, Severity(severity), name.replace("_", " "))


def _plain(facts: Facts) -> dict[str, Any]:
    """Facts as JSON can hold them: PostgreSQL refuses numbers that are not finite."""
    return {
        name: str(value) if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in facts.items()
    }
