"""What alerts say: every kind, in every state, to both audiences."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from esg_assets.cli.reference import commands
from esg_assets.core.alerts import business_words, developer_words
from esg_assets.core.alerts.incidents import Incident, Message, State
from esg_assets.core.alerts.kinds import (
    CATCH_UP,
    CHECK_FAILED,
    DRILL,
    FORECAST_LATE,
    GIVEN_UP,
    KINDS,
    PUBLISHED,
    READY,
    REPORT_LATE,
    RUN_FAILED,
    Family,
    Kind,
    Severity,
)
from esg_assets.core.alerts.routes import BUSINESS, DEVELOPERS, EMAIL, MONITORS
from esg_assets.core.alerts.times import moment
from esg_assets.core.alerts.wording import Places, Words, heartbeat_text, words_of

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
JARGON = re.compile(
    r"\b(partitions?|assets?|checks?|runs?|running|traceback|exception|dagster|sensors?|daemon|outbox|webhook"
    r"|backfill|snapshot|materiali[sz]\w*|API|URL|null|esg-assets|ESG_\w+|\w+Error|\w+Unavailable)\b"
)


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


ALL = [
    (kind, state, audience)
    for kind in KINDS.values()
    for state in State
    for audience in (DEVELOPERS, BUSINESS)
]


@pytest.mark.parametrize(("kind", "state", "audience"), ALL, ids=lambda value: getattr(value, "name", value))
def test_every_kind_has_words_in_every_state_for_both_audiences(
    kind: Kind, state: State, audience: str
) -> None:
    told = words(kind, state, audience)
    text = told.text()

    assert told.headline.endswith(".")
    assert 10 < len(told.subject) <= 150
    assert "prod" in told.subject
    assert told.paragraphs or kind == DRILL
    # The state stands in words, in the subject as in the first line.
    wanted = {State.RESOLVED: "RESOLVED", State.WORSE: "WORSE"}.get(state, kind.severity.value)
    wanted = "DRILL" if kind == DRILL else wanted
    assert wanted in told.subject
    assert text.splitlines()[0].startswith(wanted)
    assert "{" not in text
    assert "None" not in text
    assert "  " not in " ".join(told.paragraphs)
    if audience == BUSINESS:
        assert not JARGON.search(re.sub(r"https://\S+", "", text)), JARGON.search(text)
        assert "/runs/" not in text
        assert not any(step.command for step in told.what_to_do)


def test_every_kind_has_words_of_its_own_and_no_two_have_the_same() -> None:
    for texts in (developer_words.MEANS, business_words.MEANS, business_words.TITLES):
        assert set(texts) == set(KINDS)
        assert len(set(texts.values())) == len(KINDS)
    assert set(developer_words.STEPS) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_developers_get_cause_run_runbook_and_a_command_that_can_be_typed(kind: Kind) -> None:
    told = words(kind, State.OPEN, DEVELOPERS)

    links = {link.text: link.url for link in told.links}
    assert links["Run"] == "https://dagster.example.com/runs/0f9d1a52-8f0c-4a39-9f0e-3b1c5f3a4b11"
    assert links["Runbook"] == f"https://docs.example.com/operations#{kind.anchor}"
    assert "Cause: 61 of 955 accounts failed (6.4%)" in told.paragraphs
    commands = [step.command for step in told.what_to_do if step.command]
    if kind not in {DRILL, PUBLISHED, READY}:
        assert commands
    assert all(re.match(r"(ESG_\w+=\S+ )?(esg-assets|dagster-daemon) ", command) for command in commands)
    if kind.family is not Family.MACHINERY:
        assert all("2026-11-24" in command for command in commands if " run" in command)


def _commands() -> Iterator[str]:
    for steps in (*developer_words.STEPS.values(), *developer_words.BY_ERROR.values()):
        yield from (command for _, command in steps if command)


def test_every_command_that_is_told_exists() -> None:
    known = {name for name, _ in commands()}
    for command in _commands():
        typed = re.sub(r"^ESG_\w+=\S+ ", "", command)
        if typed.startswith("esg-assets "):
            name = " ".join(part for part in typed.split()[1:3] if re.fullmatch(r"[a-z]+", part))
            assert name in known, command


def test_the_error_that_ended_a_run_decides_what_to_do() -> None:
    refused = words(RUN_FAILED, State.OPEN, DEVELOPERS, facts=FACTS | {"error": "ReasonWanted"})

    assert [step.command for step in refused.what_to_do] == ['esg-assets run --date 2026-11-24 --reason "…"']


def test_only_facts_that_are_known_here_are_told_so_that_nothing_of_an_account_can_be() -> None:
    secret = "ACC-4711"
    facts: dict[str, int | float | str] = {
        **FACTS,
        "account_id": secret,
        "name": secret,
        f"reason.{secret}": 3,
        "error": f"KeyError: {secret}",
        "check": f"x {secret}",
        "channel": f"a/{secret}",
        "head": f"1:{secret}",
        "deadline": secret,
        "version": secret,
        "accounts": secret,
        "published": secret,
        "attempts": secret,
    }
    for kind, state, audience in ALL:
        told = words(kind, state, audience, facts=facts, subject=f"a {secret}")
        assert secret not in told.text().replace(told.footer, "")
        assert secret not in told.subject or audience == DEVELOPERS
        assert secret not in heartbeat_text(message(kind, state, MONITORS, facts=facts))


def test_times_are_central_with_the_name_of_the_zone_on_both_sides_of_the_change() -> None:
    assert moment(datetime(2026, 11, 1, 6, 59, tzinfo=UTC)) == "01:59 CDT, 1 November 2026"
    assert moment(datetime(2026, 11, 1, 7, 0, tzinfo=UTC)) == "01:00 CST, 1 November 2026"
    with pytest.raises(ValueError, match="without a zone"):
        moment(datetime(2026, 11, 1, 6, 59))  # noqa: DTZ001 - that it has none is the point

    told = words(REPORT_LATE, State.OPEN, DEVELOPERS)
    assert ("Deadline", "07:00 CST, 24 November 2026") in told.facts
    assert ("First seen", "05:07 CST, 24 November 2026") in told.facts


def test_business_reads_whether_there_is_a_report_and_when_to_expect_it() -> None:
    told = words(RUN_FAILED, State.OPEN, BUSINESS)
    assert " ".join(told.paragraphs) == (
        "An attempt to make the report ended without success. There is no report of 24 November 2026 yet. "
        "We expect it at about 07:40 CST, 24 November 2026. It is due at 07:00 CST, 24 November 2026. "
        "You hear from us as soon as it is there, or when it is late."
    )

    hopeless = words(GIVEN_UP, State.OPEN, BUSINESS, facts={"tries_again": 0, "published": 0})
    assert any("cannot say yet when it comes" in paragraph for paragraph in hopeless.paragraphs)


def test_business_reads_which_version_there_is_whether_it_is_complete_and_the_head() -> None:
    facts = FACTS | {"published": 1, "version": 2, "head": HEAD}
    over = words(REPORT_LATE, State.RESOLVED, BUSINESS, facts=facts)

    assert over.subject == "[ESG report prod] RESOLVED: Report is there, 2026-11-24"
    assert any(
        "report of 24 November 2026 is available (version 2). All 955 accounts are in it, but 61 of them"
        in paragraph
        for paragraph in over.paragraphs
    )
    assert ("Available", "yes, version 2") in over.facts
    assert ("With a score", "882") in over.facts
    assert ("Record, for auditors", HEAD) in over.facts

    whole = words(PUBLISHED, State.OPEN, BUSINESS, facts=facts | {"failed": 0})
    assert any("It is complete: all 955 accounts are in it; 12 of them" in text for text in whole.paragraphs)


def test_a_check_that_is_well_again_does_not_say_that_a_report_came_which_was_there() -> None:
    check, there = KINDS["failure_rate"], {"published": 1, "version": 1}

    over = words(check, State.RESOLVED, BUSINESS, facts=there | {"blocks_publication": 0})
    assert "RESOLVED: Scores of many accounts are missing" in over.subject
    came = words(check, State.RESOLVED, BUSINESS, facts=there | {"blocks_publication": 1})
    assert "RESOLVED: Report is there" in came.subject
    before = words(check, State.OPEN, BUSINESS, facts=there | {"blocks_publication": 1})
    assert "that was published before (version 1) stands." in before.text()


def test_what_is_given_up_or_under_way_is_not_said_to_be_tried_again() -> None:
    for kind in (GIVEN_UP, FORECAST_LATE, CATCH_UP):
        told = words(kind, State.OPEN, BUSINESS, facts={"tries_again": 1, "published": 0}).text()
        assert "within half an hour" not in told
    assert "next half hour" not in words(GIVEN_UP, State.OPEN, DEVELOPERS, facts={"tries_again": 1}).text()


def test_runs_by_the_schedule_are_counted_where_it_made_any_or_should_have() -> None:
    facts = {"attempts": 0, "max_attempts": 6, "tries_again": 1, "published": 0}

    by_hand = words(RUN_FAILED, State.OPEN, DEVELOPERS, facts=facts).text()
    assert "of 6" not in by_hand
    assert "The schedule tries again at its next half hour." in by_hand
    late = words(REPORT_LATE, State.OPEN, DEVELOPERS, facts=facts)
    assert ("Runs by the schedule", "0 of 6") in late.facts
    nightly = words(RUN_FAILED, State.OPEN, DEVELOPERS, facts=facts | {"attempts": 2})
    assert ("Runs by the schedule", "2 of 6") in nightly.facts
    assert "next half hour (its runs so far: 2 of 6)." in nightly.text()


def test_a_late_report_of_a_failed_run_says_both_to_both() -> None:
    both = {
        "kinds": frozenset({"run_failed", "report_late"}),
        "unwell": {"run_failed": AT, "report_late": AT},
    }

    assert words(RUN_FAILED, State.OPEN, BUSINESS, **both).subject.endswith(
        "ERROR: Report is late, 2026-11-24"
    )
    told = words(RUN_FAILED, State.OPEN, DEVELOPERS, **both)
    assert "Run failed, report is late" in told.subject
    assert developer_words.MEANS["report_late"] in told.paragraphs[0]


def test_a_date_that_is_given_up_leads_to_the_section_about_that() -> None:
    told = words(
        RUN_FAILED,
        State.WORSE,
        DEVELOPERS,
        kinds=frozenset({"run_failed", "date_given_up"}),
        unwell={"run_failed": AT, "date_given_up": AT},
        facts={},
    )

    assert told.subject == "[ESG report prod] WORSE, now ERROR: Report given up, 2026-11-24"
    assert any(link.url.endswith("#date-given-up") for link in told.links)
    assert any(step.command == "esg-assets run --date 2026-11-24" for step in told.what_to_do)


def test_an_environment_that_is_not_prod_says_that_the_real_reports_are_not_concerned() -> None:
    told = words(RUN_FAILED, State.OPEN, BUSINESS, environment="test")

    assert told.subject.startswith("[ESG report test] ")
    assert told.footer.endswith("Environment: test (not the real reports; nothing in prod is affected).")


def test_a_check_of_the_firms_own_is_named() -> None:
    told = words(CHECK_FAILED, State.OPEN, DEVELOPERS, subject="our_own_rule", facts={})

    assert told.subject == "[ESG report prod] ERROR: Check failed: our_own_rule, 2026-11-24"


def test_a_warning_says_warn_and_what_got_worse_says_from_when_it_is() -> None:
    assert "] WARN: " in words(FORECAST_LATE, State.OPEN, DEVELOPERS).subject
    worse = words(FORECAST_LATE, State.WORSE, DEVELOPERS, severity=Severity.ERROR)
    assert worse.headline == "WORSE, now ERROR: Report will be late, report of 24 November 2026."
    assert worse.paragraphs[0] == "This incident got worse. It began at 05:07 CST, 24 November 2026."


def test_without_places_there_are_no_empty_links_and_the_section_is_named() -> None:
    told = words_of(message(RUN_FAILED, State.OPEN, DEVELOPERS), Places())

    assert told.links == ()
    assert told.footer.endswith(" Runbook: docs/operations.md#run-failed.")


def test_a_ping_says_date_version_and_head_and_nothing_else() -> None:
    facts = FACTS | {"published": 1, "version": 2, "head": HEAD}

    assert heartbeat_text(message(PUBLISHED, State.OPEN, MONITORS, facts=facts)).splitlines() == [
        "INFO report_published",
        "environment prod",
        "report 2026-11-24",
        "version 2",
        f"head {HEAD}",
    ]
