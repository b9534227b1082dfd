"""What the readers of the report are told of each kind: what it means for the report, and what comes next.

No cause, no command, no word of the machinery. Layout and the other audience are `wording`'s and
`developer_words`'.
"""

from collections.abc import Iterator
from datetime import datetime

from esg_assets.core import verdicts
from esg_assets.core.alerts import kinds, shown_facts
from esg_assets.core.alerts.incidents import Incident, State
from esg_assets.core.alerts.kinds import Family
from esg_assets.core.alerts.times import day, moment, parsed

TITLES = {
    "run_failed": "Report could not be made",
    "run_killed": "Making the report was interrupted",
    "run_timed_out": "Making the report took too long",
    "report_late": "Report is late",
    "report_will_be_late": "Report will probably be late",
    "catch_up": "A missed report is made now",
    "date_given_up": "Report does not come by itself",
    "check_failed": "Something in the report needs a look",
    verdicts.ACCOUNTS_COMPLETE: "List of accounts is faulty",
    verdicts.ACCOUNT_COUNT: "Number of accounts changed a lot",
    verdicts.ONE_OUTCOME: "Accounts without a result",
    verdicts.FAILURE_RATE: "Scores of many accounts are missing",
    verdicts.NOT_RATED_RATE: "Many accounts are not rated",
    verdicts.REPORT_EQUALS: "Report was not stored correctly",
    verdicts.KEYS_UNCHANGED: "Who can open the report has changed",
    verdicts.RATINGS_DRIFT: "The ratings look unlike those of the day before",
    verdicts.STILL_VERIFIES: "A published report may have been altered",
    "outbox_stuck": "Messages about the report are delayed",
    "alert_refused": "A message about the report was not accepted",
    "sensor_silent": "Part of the automatic work stands still",
    "daemon_silent": "Automatic work stands still",
    "drill": "DRILL",
    "report_published": "Report published",
    "report_ready": "Report is ready",
}
"""By kind's name: the beginning of a subject line."""

MEANS = {
    "run_failed": "An attempt to make the report ended without success.",
    "run_killed": "An attempt to make the report was cut off. What had been collected is kept.",
    "run_timed_out": (
        "An attempt to make the report took too long and was ended. What had been collected is kept."
    ),
    "report_late": "The report did not come in time.",
    "report_will_be_late": (
        "The report is being made, more slowly than usual. It will probably not be there when it is due."
    ),
    "catch_up": "The report of this earlier day was not made in its time. It is being made now.",
    "date_given_up": (
        "Several attempts to make this report failed, and it is not tried again by itself. The developers "
        "have to act."
    ),
    "check_failed": "One of the tests that every report has to pass was not passed.",
    verdicts.ACCOUNTS_COMPLETE: (
        "The list of active accounts that came from the account system is faulty. No report is made from a "
        "faulty list."
    ),
    verdicts.ACCOUNT_COUNT: (
        "The number of active accounts is very different from the report before. Either it really changed, "
        "or the list is incomplete."
    ),
    verdicts.ONE_OUTCOME: "For some accounts it is not known how asking for their rating ended.",
    verdicts.FAILURE_RATE: (
        "For more accounts than usual no answer came from the ratings provider. In the report these "
        "accounts have no score; a reason stands beside each."
    ),
    verdicts.NOT_RATED_RATE: (
        "For more accounts than usual the provider says that it has no rating. Either that is so, or the "
        "provider was asked in the wrong way."
    ),
    verdicts.REPORT_EQUALS: "What was stored is not what was to be stored, so that it was not published.",
    verdicts.KEYS_UNCHANGED: (
        "The report was locked for other recipients, or signed with another signature, than the one before. "
        "If you do not know of such a change, tell the developers at once."
    ),
    verdicts.RATINGS_DRIFT: (
        "The ratings of many accounts moved at once, which a normal night does not do. Either something "
        "big happened, or the provider changed its scale or sent wrong data."
    ),
    verdicts.STILL_VERIFIES: (
        "A published report, or the record of it, is not what was signed. Until that is explained, do not "
        "rely on the report of this date; no new report is published meanwhile."
    ),
    "outbox_stuck": (
        "Messages about the report do not get through just now. That says nothing about the report itself."
    ),
    "alert_refused": (
        "One message about the report did not get through on one of the ways. That says nothing about the "
        "report itself."
    ),
    "sensor_silent": (
        "Part of the automatic work around the report stands still. Reports that are there are not affected."
    ),
    "daemon_silent": (
        "Nothing starts by itself just now, so that the next report may not come in time. Reports that are "
        "there are not affected."
    ),
    "drill": "Such a message would tell you here what it means for the report, and when to expect it.",
    "report_published": "The report is there and can be opened by its recipients.",
    "report_ready": "The report is there, and so are the figures that all its readers may see.",
}
"""By kind's name: what it means for the report."""


_AWAY = frozenset({Family.ENDING, Family.LATENESS})
"""What keeps a report away."""


def title(incident: Incident, state: State) -> str:
    """The beginning of a subject line."""
    kept_away = incident.kind.family in _AWAY or shown_facts.count(incident, "blocks_publication")
    if state is State.RESOLVED and kept_away and shown_facts.count(incident, "published"):
        return "Report is there"
    if kinds.GIVEN_UP.name in incident.unwell:
        return TITLES[kinds.GIVEN_UP.name]
    if kinds.REPORT_LATE.name in incident.unwell:
        return TITLES[kinds.REPORT_LATE.name]
    return TITLES.get(incident.kind.name, TITLES["check_failed"])


def paragraphs(incident: Incident, state: State, now: datetime) -> Iterator[str]:
    """What it means, whether there is a report, and when more will be said.

    Args:
        incident: what is told of.
        state: what is told of it.
        now: when this is told.
    """
    if incident.kind == kinds.DRILL:
        yield MEANS[kinds.DRILL.name]
        return
    if state is State.RESOLVED:
        yield _over(incident)
        yield from _the_report(incident)
        return
    if state is State.WORSE:
        yield f"Since our message about {moment(incident.opened_at)} it has become worse."
    yield " ".join([*_meaning(incident), *_the_report(incident)])
    if incident.kind.family is not Family.NOTICE:
        yield " ".join(_what_comes(incident, now))


def steps(incident: Incident, state: State) -> Iterator[str]:
    """What a reader may have to do."""
    if state is State.RESOLVED or incident.kind == kinds.DRILL or incident.kind.family is Family.NOTICE:
        return
    if incident.kind.name == verdicts.KEYS_UNCHANGED:
        yield "If you do not know of a change of recipients or of the signature, call the developers now."
    elif incident.kind.name == verdicts.RATINGS_DRIFT:
        yield "Do not act on changes of scores in this report until you hear from us."
    elif incident.kind.name == verdicts.STILL_VERIFIES:
        yield "Do not pass the report of this date on until you hear from us."
    elif incident.kind.name in {verdicts.ACCOUNTS_COMPLETE, verdicts.ACCOUNT_COUNT}:
        yield "If accounts were opened or closed in number, tell the developers: then the list may be right."
    else:
        yield "Nothing. The developers are told at the same time."


def _meaning(incident: Incident) -> Iterator[str]:
    if kinds.GIVEN_UP.name in incident.unwell:
        yield MEANS[kinds.GIVEN_UP.name]
        return
    yield MEANS.get(incident.kind.name, MEANS["check_failed"])
    if kinds.REPORT_LATE.name in incident.unwell and incident.kind != kinds.REPORT_LATE:
        yield MEANS[kinds.REPORT_LATE.name]


def _the_report(incident: Incident) -> Iterator[str]:
    """Whether there is one, which, and whether it is complete."""
    if incident.date is None:
        return
    date = day(incident.date)
    published, blocks = (shown_facts.count(incident, n) for n in ("published", "blocks_publication"))
    if published:
        version = shown_facts.count(incident, "version")
        which = f" (version {version:,})" if version else ""
        if blocks and incident.kind.family is Family.CHECK and incident.resolved_at is None:
            yield f"The report of {date} that was published before{which} stands."
        else:
            yield f"The report of {date} is available{which}.{_whole(incident)}"
    elif published == 0 or blocks or (incident.kind.family is Family.LATENESS and not incident.resolved_at):
        yield f"There is no report of {date} yet."


def _whole(incident: Incident) -> str:
    total, failed, unrated = (
        shown_facts.count(incident, name) for name in ("accounts", "failed", "not_rated")
    )
    if total is None or failed is None:
        return ""
    if not failed:
        rest = f"; {unrated:,} of them are not rated by the provider" if unrated else ""
        return f" It is complete: all {total:,} accounts are in it{rest}."
    return (
        f" All {total:,} accounts are in it, but {failed:,} of them ({failed / total:.1%}) without a result;"
        " a later version may fill these."
    )


def _what_comes(incident: Incident, now: datetime) -> Iterator[str]:
    """When to expect the report, and by when we say more."""
    missing = not shown_facts.count(incident, "published") and incident.date is not None
    given_up = kinds.GIVEN_UP.name in incident.unwell
    again = 0 if given_up else shown_facts.count(incident, "tries_again")
    # While a run is at it there is nothing to be tried again.
    ended = incident.kind.family in _AWAY and incident.kind not in {kinds.FORECAST_LATE, kinds.CATCH_UP}
    expected, deadline = (parsed(incident.facts.get(name)) for name in ("expected_end", "deadline"))
    if missing and expected is not None and expected > now:
        yield f"We expect it at about {moment(expected)}."
    elif missing and again and ended:
        yield "It is tried again by itself within half an hour; nothing that was collected is lost."
    elif missing and again == 0:
        yield "The developers have to act first, so we cannot say yet when it comes."
    if missing and deadline is not None and deadline > now:
        yield f"It is due at {moment(deadline)}. You hear from us as soon as it is there, or when it is late."
    else:
        yield "You hear from us again when this is over, or if it gets worse."


def _over(incident: Incident) -> str:
    if incident.kind.family in _AWAY:
        return "What kept the report from being made is over."
    if incident.kind.family is Family.CHECK:
        return "What was wrong with the report has been put right, or the newest report is well again."
    return "This is over: everything goes by itself again."
