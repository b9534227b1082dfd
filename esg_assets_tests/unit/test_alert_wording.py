"""What alerts say: every kind, in every state, to both audiences."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from esg_assets.cli.reference import commands
from esg_assets.core.alerts import business_words, developer_words
from esg_assets.core.alerts.incidents import State
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
from esg_assets.core.alerts.routes import BUSINESS, DEVELOPERS, MONITORS
from esg_assets.core.alerts.times import moment
from esg_assets.core.alerts.wording import Places, heartbeat_text, words_of
from esg_assets_tests.unit.alert_messages import AT, FACTS, HEAD, message, words

JARGON = re.compile(
    r"\b(partitions?|assets?|checks?|runs?|running|traceback|exception|dagster|sensors?|daemon|outbox|webhook"
    r"|backfill|snapshot|materiali[sz]\w*|API|URL|null|esg-assets|ESG_\w+|\w+Error|\w+Unavailable)\b"
)

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
