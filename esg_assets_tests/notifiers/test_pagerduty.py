"""Events to PagerDuty, each held to its public schema."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from esg_assets.adapters.notifiers.pagerduty import PagerDutyChannel, dedup_key, event_of
from esg_assets.core.alerts.incidents import State
from esg_assets.core.alerts.kinds import KINDS, Severity
from esg_assets.core.errors import ChannelRefused, ChannelUnavailable
from esg_assets_tests.notifiers.http_stubs import FOREIGN, ROUTING_KEY, SCHEMA, VALIDATOR, PagerDuty
from esg_assets_tests.notifiers.material import PLACES, RUN, incident, message
from esg_assets_tests.raw_server import answer


def channel(stub: PagerDuty, ca: Path, routing_key: str = ROUTING_KEY) -> PagerDutyChannel:
    return PagerDutyChannel(routing_key, stub.url, places=PLACES, ca=ca)


def test_open_worse_and_resolved_are_one_alert_that_ends(pagerduty: PagerDuty, ca: Path) -> None:
    one = channel(pagerduty, ca)
    key = message().incident.key

    assert one.deliver(message()) == "202, trigger"
    assert pagerduty.open == {key}
    assert one.deliver(message(State.WORSE)) == "202, trigger"
    assert one.deliver(message(State.RESOLVED)) == "202, resolve"

    assert pagerduty.open == set()
    assert pagerduty.triggers == {key: 2}
    assert [event["event_action"] for event in pagerduty.events] == ["trigger", "trigger", "resolve"]


def test_a_repeat_is_the_same_alert(pagerduty: PagerDuty, ca: Path) -> None:
    for _ in range(3):
        channel(pagerduty, ca).deliver(message())

    assert len(pagerduty.open) == 1
    assert pagerduty.bodies[0] == pagerduty.bodies[1] == pagerduty.bodies[2]


def test_an_event_says_what_happened_where_and_what_to_do(pagerduty: PagerDuty, ca: Path) -> None:
    channel(pagerduty, ca).deliver(message())

    (event,) = pagerduty.events
    payload = event["payload"]
    assert payload["summary"].startswith(
        "[ESG report prod] ERROR: Run failed, 2026-11-24. A run of this date"
    )
    assert payload["severity"] == "error"
    assert payload["source"] == "esg_assets prod"
    assert payload["component"] == "run_failed"
    assert payload["group"] == "esg_report 2026-11-24"
    assert payload["timestamp"] == "2026-11-24T11:07:00.000+00:00"
    details = payload["custom_details"]
    assert details["Failed"] == "61 (60 timeout, 1 rejected)"
    assert details["To do 2"] == "Go on where it stopped (safe at any time): esg-assets run --date 2026-11-24"
    assert {"href": f"https://dagster.example.com/runs/{RUN}", "text": "Run"} in event["links"]
    assert event["client_url"] == f"https://dagster.example.com/runs/{RUN}"


def test_every_kind_in_every_state_is_what_the_public_schema_allows() -> None:
    for kind in KINDS.values():
        for state in State:
            action, event = event_of(message(state, kind), PLACES)
            whole = {"routing_key": ROUTING_KEY, "event_action": action, "dedup_key": "x", **event}
            assert [error.message for error in VALIDATOR.iter_errors(whole)] == []


def test_the_schema_of_the_tests_refuses_what_pagerduty_refuses(pagerduty: PagerDuty, ca: Path) -> None:
    assert SCHEMA["required"] == ["routing_key", "event_action"]
    with pytest.raises(ChannelUnavailable):
        channel(pagerduty, ca, routing_key="too-short").deliver(message())
    assert pagerduty.events == []


def test_the_longest_words_and_keys_fit(pagerduty: PagerDuty, ca: Path) -> None:
    long = incident(key="esg/prod/2026-11-24/check_failed/" + "x" * 300, facts={"note": "long " * 900})
    other = replace(long, key=long.key + "y")

    channel(pagerduty, ca).deliver(replace(message(), incident=long))
    assert len(pagerduty.events[0]["payload"]["summary"]) <= 1024
    assert len(dedup_key(long)) == 255
    assert dedup_key(long) != dedup_key(other)
    assert dedup_key(incident()) == "esg/prod/2026-11-24/run_failed"


def test_severities_are_those_of_pagerduty() -> None:
    told = [event_of(message(severity=severity), PLACES)[1]["payload"]["severity"] for severity in Severity]

    assert told == ["info", "warning", "error"]


def test_a_wrong_key_does_not_lose_the_alert(pagerduty: PagerDuty, ca: Path) -> None:
    said = {
        "status": "invalid event",
        "message": "Event object is invalid",
        "errors": ["Invalid routing key"],
    }
    pagerduty.orders += [answer(400, json.dumps(said).encode()), answer(403, FOREIGN.encode())]

    for status in (400, 403):
        with pytest.raises(ChannelUnavailable, match=rf"PagerDuty answered {status}") as caught:
            channel(pagerduty, ca).deliver(message())
        assert ROUTING_KEY not in str(caught.value)
        assert FOREIGN not in str(caught.value)
    assert channel(pagerduty, ca).deliver(message()) == "202, trigger"


def test_an_event_that_pagerduty_calls_invalid_is_given_up(pagerduty: PagerDuty, ca: Path) -> None:
    said = {"status": "invalid event", "message": FOREIGN, "errors": ["'payload.severity' is invalid"]}
    pagerduty.orders.append(answer(400, json.dumps(said).encode()))

    with pytest.raises(ChannelRefused, match=r"PagerDuty answered 400: it calls this message malformed\."):
        channel(pagerduty, ca).deliver(message())


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b'{"status": "success"}', b'{"dedup_key": "another"}']
)
def test_what_is_no_acknowledgement_of_this_event_is_none(
    body: bytes, pagerduty: PagerDuty, ca: Path
) -> None:
    pagerduty.orders.append(answer(202, body))

    with pytest.raises(ChannelUnavailable):
        channel(pagerduty, ca).deliver(message())


def test_one_delivery_is_one_request_whatever_the_answer(pagerduty: PagerDuty, ca: Path) -> None:
    for status in (429, 500, 502, 503, 504, 400, 404, 302):
        pagerduty.reset()
        pagerduty.orders.append(answer(status, location="https://127.0.0.1:1/"))
        with pytest.raises(ChannelUnavailable):
            channel(pagerduty, ca).deliver(message())
        assert len(pagerduty.bodies) == 1


def test_a_look_sends_nothing(pagerduty: PagerDuty, ca: Path) -> None:
    assert "can be reached" in channel(pagerduty, ca).look()
    assert pagerduty.bodies == []
    with pytest.raises(ChannelUnavailable, match="has 9 characters; PagerDuty's keys have 32"):
        channel(pagerduty, ca, routing_key="too-short").look()
    with pytest.raises(ChannelUnavailable, match="ESG_PAGERDUTY_URL"):
        PagerDutyChannel(ROUTING_KEY, "https://127.0.0.1:9/v2/enqueue", places=PLACES, ca=ca).look()
    with pytest.raises(ChannelUnavailable, match="ESG_ALERT_CA_BUNDLE"):
        PagerDutyChannel(ROUTING_KEY, pagerduty.url, places=PLACES).look()
