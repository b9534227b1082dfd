"""Messages as the outbox hands them to channels, with made-up figures."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from esg_assets.core.alerts.incidents import Incident, Message, State
from esg_assets.core.alerts.kinds import RUN_FAILED, Family, Kind
from esg_assets.core.alerts.routes import DEVELOPERS, EMAIL
from esg_assets.core.alerts.wording import Places

AT = datetime(2026, 11, 24, 11, 7, tzinfo=UTC)
DAY = date(2026, 11, 24)
HEAD = "41:" + "5f" * 32
RUN = "0f9d1a52-8f0c-4a39-9f0e-3b1c5f3a4b11"
PLACES = Places(
    "https://dagster.example.com", "https://esg.example.com", "https://docs.example.com/operations"
)
FACTS: dict[str, int | float | str] = {
    "accounts": 955,
    "failed": 61,
    "not_rated": 12,
    "error": "ApiUnavailable",
    "note": "Asking for ratings as of 2026-11-23: no good answer for 1,800 s (ESG_API_OUTAGE_SECONDS), 284 "
    "of 955 accounts have no outcome yet. What arrived is kept; the next run asks only for what is open.",
    "attempts": 2,
    "max_attempts": 6,
    "tries_again": 1,
    "published": 0,
    "deadline": "2026-11-24T07:00:00-06:00",
    "reason.timeout": 60,
    "reason.rejected": 1,
}


def incident(kind: Kind = RUN_FAILED, **changed: object) -> Incident:
    """One incident of that kind, open since 05:07 Central time."""
    day = None if kind.family is Family.MACHINERY else DAY
    made = Incident(
        key=f"esg/prod/{day or '-'}/{kind.name}",
        environment="prod",
        kind=kind,
        severity=kind.severity,
        opened_at=AT,
        seen_at=AT + timedelta(minutes=38),
        date=day,
        unwell={kind.name: AT},
        kinds=frozenset({kind.name}),
        occurrences=2,
        facts=FACTS,
        run_id=RUN,
    )
    return replace(made, **changed)  # type: ignore[arg-type]


def message(
    state: State = State.OPEN,
    kind: Kind = RUN_FAILED,
    *,
    audience: str = DEVELOPERS,
    channel: str = EMAIL,
    **changed: object,
) -> Message:
    """One message about an incident; `changed` are attributes of the incident."""
    if state is State.RESOLVED:
        changed = {"resolved_at": AT + timedelta(hours=1), "unwell": {}, **changed}
    about = incident(kind, **changed)
    return Message(7, about, state, channel, audience, about.opened_at + timedelta(seconds=20))
