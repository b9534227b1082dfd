"""What developers are told of each kind: the cause with its numbers, and the next command.

Layout, links and the other audience are `wording`'s and `business_words`'; every kind has a section of
docs/operations.md that says the same at length.
"""

from collections.abc import Iterator

from esg_assets.core import verdicts
from esg_assets.core.alerts import kinds, shown_facts
from esg_assets.core.alerts.incidents import Incident, State
from esg_assets.core.alerts.kinds import Family
from esg_assets.core.alerts.times import moment, moment_of

MEANS = {
    "run_failed": "A run of this date ended with an error.",
    "run_killed": "The process of a run of this date died: killed, out of memory, or its host went down.",
    "run_timed_out": "A run of this date took longer than it may, and was ended.",
    "report_late": "ESG_REPORT_DEADLINE has passed and the report of this date is not published.",
    "report_will_be_late": "At its present speed the run ends after ESG_REPORT_DEADLINE.",
    "catch_up": "The schedule makes up for this date, because no report of it was published in its time.",
    "date_given_up": (
        "The schedule has used up ESG_MAX_DATE_ATTEMPTS or met a permanent error: it does not try this date "
        "again."
    ),
    "check_failed": "A check of this date failed.",
    verdicts.ACCOUNTS_COMPLETE: "The account list breaks a rule, so that no snapshot was made of it.",
    verdicts.ACCOUNT_COUNT: "The number of active accounts is far from that of the report before.",
    verdicts.ONE_OUTCOME: "Some accounts ended without exactly one outcome.",
    verdicts.FAILURE_RATE: "More accounts failed than the limit allows.",
    verdicts.NOT_RATED_RATE: (
        "The provider has no rating for more accounts than the limit allows; a wrong base URL looks like "
        "this."
    ),
    verdicts.REPORT_EQUALS: "The sealed report, read back from the store, is not what was to be written.",
    verdicts.KEYS_UNCHANGED: (
        "The report was sealed to other recipients, or signed with another key, than the publication before "
        "it. If nobody ordered that, treat it as an attack."
    ),
    verdicts.RATINGS_DRIFT: (
        "The ratings differ from those of the report before as no normal night does: another scale, a lost "
        "field, old data or a mass downgrade. Every single answer was valid."
    ),
    verdicts.STILL_VERIFIES: (
        "An entry of the chain, or an object that it names, is not what was signed. Treat it as an attack "
        "until it is explained; nothing is published meanwhile."
    ),
    "outbox_stuck": "Messages have waited too long for their channel; other channels have theirs.",
    "alert_refused": (
        "A channel calls a message malformed and will never take it, so that over that channel it reached "
        "nobody."
    ),
    "sensor_silent": "A sensor or schedule that has to tick does not.",
    "daemon_silent": (
        "The Dagster daemon gives no sign of life, so that nothing starts by itself: no run at 05:00, no "
        "catch-up, no sensor."
    ),
    "drill": "This message proves that alerts reach you. Somebody started it by hand.",
    "report_published": "The report of this date is published.",
    "report_ready": "The report of this date is published, and its figures are kept for its readers.",
}
"""By kind's name: what has happened."""

Steps = tuple[tuple[str, str], ...]

_AGAIN = ("Go on where it stopped (safe at any time):", "esg-assets run --date {date}")
_LOOK = ("See where the report stands:", "esg-assets status --date {date}")
_DOCTOR = ("Try settings, keys, stores and both systems:", "esg-assets doctor")
_OTHER_JOB = (_DOCTOR, ("When the cause is mended, launch the job again on its page in Dagster's UI.", ""))
_VERIFY = ("List what is wrong with the chain:", "esg-assets report verify --date {date}")
_FAILURES = ("List the failed accounts with their reasons:", "esg-assets report failures --date {date}")
_DAEMON = "Start it again if it is dead, with DAGSTER_HOME as it was:"

STEPS: dict[str, Steps] = {
    "run_failed": (_DOCTOR, _AGAIN),
    "run_killed": (("Look for the cause on the host (memory, disk, restarts), then go on:", _AGAIN[1]),),
    "run_timed_out": (("See how fast it was and what it waited for, then go on:", _AGAIN[1]),),
    "report_late": (_LOOK, _AGAIN),
    "report_will_be_late": (
        (
            "See the speed and the refusals. If the provider allows more calls, raise ESG_API_RATE_LIMIT:",
            _LOOK[1],
        ),
        ("Tell the readers when it will be there.", ""),
    ),
    "catch_up": (_LOOK,),
    "date_given_up": (
        ("Mend the cause first; the doctor tries both systems:", _DOCTOR[1]),
        ("Then run it by hand, since nothing else will:", _AGAIN[1]),
    ),
    "check_failed": (_LOOK,),
    verdicts.ACCOUNTS_COMPLETE: (("Have the list corrected at its source, then:", _AGAIN[1]),),
    verdicts.ACCOUNT_COUNT: (
        ("Ask the owners of the account system whether the number is right.", ""),
        (
            "If it is right and the run was stopped, allow it once:",
            "ESG_ACCOUNTS_DROP_BLOCK=1 esg-assets run --date {date}",
        ),
    ),
    verdicts.ONE_OUTCOME: (_AGAIN, ("If it stays so, it is a fault of the software: report it.", "")),
    verdicts.FAILURE_RATE: (_FAILURES, ("When the provider is well again:", _AGAIN[1])),
    verdicts.NOT_RATED_RATE: (
        ("Check ESG_API_URL, and with the provider whether it knows these accounts:", "esg-assets settings"),
        ("Then ask again:", _AGAIN[1]),
    ),
    verdicts.REPORT_EQUALS: (("Look at the records store (space, its own events):", _DOCTOR[1]), _AGAIN),
    verdicts.KEYS_UNCHANGED: (
        (
            "If somebody ordered the change, nothing. If nobody did, look at recipients and signer:",
            _VERIFY[1],
        ),
    ),
    verdicts.RATINGS_DRIFT: (
        ("Ask the provider whether it changed its scale, its data or its method.", ""),
        ("If it sent wrong data, ask for all of it again when it is mended:", f"{_AGAIN[1]} --refresh all"),
    ),
    verdicts.STILL_VERIFIES: (_VERIFY, ("Compare the store with a copy, and keep both.", "")),
    "outbox_stuck": (
        ("See which channel does not answer:", "esg-assets alerts test"),
        ("When it does, send what waits:", "esg-assets alerts flush --now"),
    ),
    "alert_refused": (
        ("See whether the channel takes another message:", "esg-assets alerts test"),
        ("If it does, this message is a fault of the software: report it.", ""),
    ),
    "sensor_silent": (
        (
            "Look at its page under Automation: is it running, does it end with errors? Then at the daemon:",
            "dagster-daemon liveness-check",
        ),
        ("Until it ticks, this looks for trouble and tells of it:", "esg-assets alerts flush"),
    ),
    "daemon_silent": (
        (_DAEMON, "dagster-daemon run"),
        ("Until it lives, make today's report by hand:", "esg-assets run"),
        ("Look for trouble and send what waits by hand:", "esg-assets alerts flush"),
    ),
    "drill": (),
    "report_published": (),
    "report_ready": (),
}
"""By kind's name: what to do, with the command; `{date}` stands for the report's date."""

_UNDER_WAY = frozenset({kinds.FORECAST_LATE, kinds.CATCH_UP})
"""A run is at it, so that the error of an earlier one decides nothing."""

BY_ERROR: dict[str, Steps] = {
    "SettingsWrong": (("See which setting is wrong:", "esg-assets settings"), _DOCTOR, _AGAIN),
    "AccountsRefused": STEPS[verdicts.ACCOUNTS_COMPLETE],
    "NoHistory": (
        (
            "The account system keeps no history. If the report may say that its accounts are today's:",
            "esg-assets run --date {date} --current-accounts",
        ),
    ),
    "AccessDenied": (("See which system refuses our credentials, and mend that:", _DOCTOR[1]), _AGAIN),
    "ReportBlocked": (("See which check blocks it:", _LOOK[1]), _AGAIN),
    "ReasonWanted": (("If this is a correction, say why:", 'esg-assets run --date {date} --reason "…"'),),
    "Tampered": (_VERIFY, ("Treat it as an attack until it is explained. Keep what is there.", "")),
    "SourceUnavailable": (("Ask the owners of the account system; try it with:", _DOCTOR[1]), _AGAIN),
    "ApiUnavailable": (("Look at the provider's state; try it with:", _DOCTOR[1]), _AGAIN),
    "StoreUnavailable": (
        ("Look at free space and at the store's or database's own state:", _DOCTOR[1]),
        _AGAIN,
    ),
    "KeysUnavailable": (("Look at AWS KMS and the way to it:", _DOCTOR[1]), _AGAIN),
    "LeaseBusy": (("Another run has the date: wait for it, or end it in the UI.", ""), _LOOK),
    "Stopped": (("Somebody stopped it. To go on:", _AGAIN[1]),),
}
"""By type of the error that ended a run; it is more exact than the kind."""


def title(incident: Incident, state: State) -> str:
    """The beginning of a subject line."""
    if _given_up(incident):
        return kinds.GIVEN_UP.title
    late = kinds.REPORT_LATE.name in incident.kinds
    if incident.kind.family is Family.NOTICE:
        return incident.kind.title
    if late and incident.kind != kinds.REPORT_LATE:
        return f"{incident.kind.title}, {'report came late' if _came(incident, state) else 'report is late'}"
    named = shown_facts.subject(incident)
    return f"{incident.kind.title}: {named}" if named else incident.kind.title


def paragraphs(incident: Incident, state: State) -> Iterator[str]:
    """What happened, the cause, and what follows from it."""
    if state is State.RESOLVED:
        yield f"It is over: {_over(incident)}"
        return
    if state is State.WORSE:
        yield f"This incident got worse. It began at {moment(incident.opened_at)}."
    yield " ".join(_seen(incident))
    if cause := shown_facts.note(incident):
        yield f"Cause: {cause}"
    if follows := " ".join(_follows(incident)):
        yield follows


def steps(incident: Incident) -> Iterator[tuple[str, str]]:
    """What to do next: text and command."""
    date = "D" if incident.date is None else incident.date.isoformat()
    channel = shown_facts.word(incident, "channel")
    found = STEPS.get(incident.kind.name, (_LOOK,))
    if incident.kind.family in {Family.ENDING, Family.LATENESS} and incident.kind not in _UNDER_WAY:
        found = BY_ERROR.get(_error(incident), found)
    if _given_up(incident):
        last = STEPS[kinds.GIVEN_UP.name]
        found = (*(step for step in found if step[1] not in {command for _, command in last}), *last)
    if _of_no_date(incident):
        found = _OTHER_JOB
    for text, command in found:
        typed = command.format(date=date)
        if channel and typed == "esg-assets alerts test":
            typed += f" --channel {channel}"
        yield text, typed


def _of_no_date(incident: Incident) -> bool:
    """Whether it is about a run that makes no report."""
    return incident.date is None and incident.kind.family is Family.ENDING


def _seen(incident: Incident) -> Iterator[str]:
    if _of_no_date(incident):
        yield "A run of a job that makes no report did not end well. Reports are not affected."
        return
    yield MEANS.get(incident.kind.name, MEANS["check_failed"])
    others = sorted(name for name in incident.kinds if name != incident.kind.name and name in MEANS)
    yield from (MEANS[name] for name in others)


def _follows(incident: Incident) -> Iterator[str]:
    published, blocks = (shown_facts.count(incident, n) for n in ("published", "blocks_publication"))
    if blocks:
        yield "Nothing is published because of this."
    elif blocks == 0 and incident.kind.name != verdicts.STILL_VERIFIES:
        yield "It does not stop the publication."
    if published:
        yield f"A report of this date stands (version {shown_facts.count(incident, 'version') or 1:,})."
    elif published == 0:
        yield "No report of this date is published."
    again = 0 if _given_up(incident) else shown_facts.count(incident, "tries_again")
    if again:
        made = shown_facts.attempts(incident)
        so_far = f" (its runs so far: {made})" if made else ""
        yield f"The schedule tries again at its next half hour{so_far}."
    elif again == 0 and not _given_up(incident):
        yield "The schedule does not try this date again by itself."


def _over(incident: Incident) -> str:
    facts = incident.facts
    if shown_facts.count(incident, "published"):
        return f"the report stands, version {shown_facts.count(incident, 'version') or 1:,}."
    if incident.kind.family is Family.MACHINERY:
        last = moment_of(facts.get("last_tick"))
        return f"all is well again{f', last tick at {last}' if last else ''}. Nobody has to act."
    return "what was wrong has been seen to be well since. Nobody has to act."


def _came(incident: Incident, state: State) -> bool:
    return state is State.RESOLVED or bool(shown_facts.count(incident, "published"))


def _given_up(incident: Incident) -> bool:
    return kinds.GIVEN_UP.name in incident.unwell


def _error(incident: Incident) -> str:
    return shown_facts.word(incident, "error") or shown_facts.subject(incident)
