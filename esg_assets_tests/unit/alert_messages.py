"""Messages about every kind of incident, for tests of what is said."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from esg_assets.core.alerts.incidents import Incident, Message, State
from esg_assets.core.alerts.kinds import Family, Kind
from esg_assets.core.alerts.routes import EMAIL
from esg_assets.core.alerts.wording import Places, Words, words_of

AT = datetime(2026, 11, 24, 11, 7, tzinfo=UTC)
DAY = date(2026, 11, 24)
PLACES = Places(
    "https://dagster.example.com", "https://esg.example.com", "https://docs.example.com/operations"
)
HEAD = "41:" + "ab" * 32
FACTS: dict[str, int | float | str] = {
    "accounts": 955,
    "failed": 61,
    "not_rated": 12,
    "share": 0.0639,
    "limit": 0.05,
    "check": "failure_rate",
    "note": "61 of 955 accounts failed (6.4%)",
    "error": "ApiUnavailable",
    "attempts": 2,
    "max_attempts": 6,
    "tries_again": 1,
    "published": 0,
    "deadline": "2026-11-24T07:00:00-06:00",
    "expected_end": "2026-11-24T13:40:00+00:00",
    "reason.timeout": 60,
    "reason.rejected": 1,
    "last_tick": "2026-11-24T10:00:00+00:00",
    "minutes": 47,
    "channel": "slack",
    "pending": 3,
    "blocks_publication": 1,
}


def message(kind: Kind, state: State, audience: str, **changed: object) -> Message:
    dated = kind.family is not Family.MACHINERY
    incident = Incident(
        key=f"esg/prod/{DAY if dated else '-'}/{kind.name}",
        environment="prod",
        kind=kind,
        severity=kind.severity,
        opened_at=AT,
        seen_at=AT + timedelta(minutes=9),
        date=DAY if dated else None,
        unwell={} if state is State.RESOLVED else {kind.name: AT},
        kinds=frozenset({kind.name}),
        occurrences=3,
        facts=FACTS,
        run_id="0f9d1a52-8f0c-4a39-9f0e-3b1c5f3a4b11",
        resolved_at=AT + timedelta(hours=1) if state is State.RESOLVED else None,
    )
    return Message(7, replace(incident, **changed), state, EMAIL, audience, AT)  # type: ignore[arg-type]


def words(kind: Kind, state: State, audience: str, **changed: object) -> Words:
    return words_of(message(kind, state, audience, **changed), PLACES)
