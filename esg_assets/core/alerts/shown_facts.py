"""Facts of an incident as people read them: a label and a value, only those that are known here.

Their names stand in `wording`; a fact of another name, or of another shape, is not shown.
"""

import re
from collections.abc import Callable, Iterator, Mapping

from esg_assets.core.alerts.incidents import Incident, State
from esg_assets.core.alerts.kinds import Family
from esg_assets.core.alerts.times import day, moment, moment_of
from esg_assets.core.ratings import Reason

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,79}")
_HEAD = re.compile(r"\d{1,12}:[0-9a-f]{64}")
_NOTE = 1_000


def count(incident: Incident, name: str) -> int | None:
    """A fact that is a count; None if it is not known."""
    value = incident.facts.get(name)
    return int(value) if isinstance(value, int | float) and value == int(value) else None


def share(incident: Incident, name: str) -> str:
    """A fact from 0 to 1 in per cent, "" if it is not known."""
    value = incident.facts.get(name)
    return f"{value:.1%}" if isinstance(value, int | float) else ""


def word(incident: Incident, name: str) -> str:
    """A fact that is a name of ours, "" if it is not known."""
    value = incident.facts.get(name)
    return value if isinstance(value, str) and _WORD.fullmatch(value) else ""


def subject(incident: Incident) -> str:
    """What tells it from others of its kind, "" if nothing does or it is no name of ours."""
    return incident.subject if _WORD.fullmatch(incident.subject) else ""


def head(incident: Incident) -> str:
    """The chain's head, `SEQ:SHA256`, "" if it is not known."""
    value = incident.facts.get("head")
    return value if isinstance(value, str) and _HEAD.fullmatch(value) else ""


def note(incident: Incident) -> str:
    """What was found, in a sentence of ours; "" if nothing more is known."""
    value = incident.facts.get("note")
    text = " ".join(value.split()) if isinstance(value, str) else ""
    return text if len(text) <= _NOTE else text[: _NOTE - 1] + "…"


def reasons(incident: Incident) -> list[tuple[str, int]]:
    """FAILED accounts by reason, most frequent first."""
    found = [(reason.value, count(incident, f"reason.{reason.value}") or 0) for reason in Reason]
    return sorted((each for each in found if each[1]), key=lambda each: -each[1])


def attempts(incident: Incident) -> str:
    """Runs of the date that the schedule asked for, such as `2 of 6`; "" if it is not known.

    Nor where a run ended and the schedule had made none: then somebody started it by hand.
    """
    made, most = count(incident, "attempts"), count(incident, "max_attempts")
    if made is None or (not made and incident.kind.family is Family.ENDING):
        return ""
    return f"{made:,}" if most is None else f"{made:,} of {most:,}"


def for_developers(incident: Incident, state: State) -> Iterator[tuple[str, str]]:
    """Everything that is known, causes first."""
    yield "Environment", incident.environment
    if incident.date is not None:
        yield "Report date", incident.date.isoformat()
    yield from _known(incident, _PUBLICATION)
    yield from _known(incident, _DEVELOPERS)
    if incident.run_id:
        yield "Run", incident.run_id
    yield "First seen", moment(incident.opened_at)
    if incident.occurrences > 1:
        yield "Seen", f"{incident.occurrences:,} times, last at {moment(incident.seen_at)}"
    if state is State.RESOLVED and incident.resolved_at is not None:
        yield "Over since", moment(incident.resolved_at)


def for_business(incident: Incident, state: State) -> Iterator[tuple[str, str]]:
    """What concerns the report, in words of its readers."""
    if incident.date is not None:
        yield "Report of", day(incident.date)
    published = count(incident, "published")
    if published is not None:
        version = count(incident, "version")
        yield (
            "Available",
            "no" if not published else "yes" if version is None else f"yes, version {version:,}",
        )
    yield from _known(incident, _BUSINESS)
    if not published:
        yield from _known(incident, _EXPECTATION)
    yield "Noticed", moment(incident.opened_at)
    if state is State.RESOLVED and incident.resolved_at is not None:
        yield "Over since", moment(incident.resolved_at)
    if head(incident):
        yield "Record, for auditors", head(incident)


_Shown = Mapping[str, Callable[[Incident], str]]


def _counted(name: str) -> Callable[[Incident], str]:
    def shown(incident: Incident) -> str:
        value = count(incident, name)
        return "" if value is None else f"{value:,}"

    return shown


def _with_score(incident: Incident) -> str:
    numbers = [count(incident, name) for name in ("accounts", "failed", "not_rated")]
    if None in numbers:
        return ""
    total, *others = (number or 0 for number in numbers)
    return f"{total - sum(others):,}"


def _named(incident: Incident) -> set[str]:
    return {word(incident, "error"), word(incident, "check")}


def _failed(incident: Incident) -> str:
    by_reason = ", ".join(f"{number:,} {reason}" for reason, number in reasons(incident))
    number = count(incident, "failed")
    if number is None:
        return by_reason
    return f"{number:,}{f' ({by_reason})' if by_reason else ''}"


def _published(incident: Incident) -> str:
    published = count(incident, "published")
    return "" if published is None else "yes" if published else "no"


_DEVELOPERS: _Shown = {
    "Check": lambda incident: word(incident, "check"),
    "Error": lambda incident: word(incident, "error"),
    "Subject": lambda incident: "" if subject(incident) in _named(incident) else subject(incident),
    "Accounts": _counted("accounts"),
    "Failed": _failed,
    "Not rated": _counted("not_rated"),
    "Share": lambda incident: share(incident, "share"),
    "Limit": lambda incident: share(incident, "limit"),
    "Runs by the schedule": attempts,
    "Channel": lambda incident: word(incident, "channel"),
    "Messages waiting": _counted("pending"),
    "Minutes": _counted("minutes"),
    "Last tick": lambda incident: moment_of(incident.facts.get("last_tick")),
    "Deadline": lambda incident: moment_of(incident.facts.get("deadline")),
    "Expected end": lambda incident: moment_of(incident.facts.get("expected_end")),
}
_PUBLICATION: _Shown = {
    "Published": lambda incident: (
        {0: "no", 1: "yes"}.get(count(incident, "published") or 0, "")
        if count(incident, "published") is not None
        else ""
    ),
    "Version": _counted("version"),
    "Head of the chain": head,
}
_BUSINESS: _Shown = {
    "Accounts": _counted("accounts"),
    "With a score": _with_score,
    "Not rated by the provider": _counted("not_rated"),
    "Without a result": _counted("failed"),
}
_EXPECTATION: _Shown = {
    "Due": lambda incident: moment_of(incident.facts.get("deadline")),
    "Expected": lambda incident: moment_of(incident.facts.get("expected_end")),
}


def _known(incident: Incident, shown: _Shown) -> Iterator[tuple[str, str]]:
    yield from ((label, value) for label, of in shown.items() if (value := of(incident)))
