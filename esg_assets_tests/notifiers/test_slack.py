"""Messages to a Slack webhook, within the limits of its blocks."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from esg_assets.adapters.notifiers.slack import SlackChannel, blocks_of
from esg_assets.core.alerts.incidents import State
from esg_assets.core.alerts.kinds import DRILL, KINDS, Kind
from esg_assets.core.alerts.routes import BUSINESS, DEVELOPERS
from esg_assets.core.alerts.wording import words_of
from esg_assets.core.errors import ChannelRefused, ChannelUnavailable
from esg_assets_tests.notifiers.http_stubs import FOREIGN, Slack
from esg_assets_tests.notifiers.material import PLACES, RUN, message
from esg_assets_tests.raw_server import answer


def channel(stub: Slack, ca: Path) -> SlackChannel:
    return SlackChannel(stub.url, places=PLACES, ca=ca)


def texts(block: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Kind of place and text, of everything that a block shows."""
    if "text" in block:
        yield block["type"], block["text"]["text"]
    yield from (("field", field["text"]) for field in block.get("fields", ()))
    yield from (("context", element["text"]) for element in block.get("elements", ()))


def test_a_message_has_a_fallback_text_and_blocks_with_cause_command_and_links(
    slack: Slack, ca: Path
) -> None:
    assert channel(slack, ca).deliver(message()) == "200 ok"

    (sent,) = slack.messages
    assert sent["text"] == "[ESG report prod] ERROR: Run failed, 2026-11-24"
    told = "\n".join(text for block in sent["blocks"] for _, text in texts(block))
    assert ":red_circle: [ESG report prod] ERROR: Run failed, 2026-11-24" in told
    assert "`esg-assets run --date 2026-11-24`" in told
    assert f"<https://dagster.example.com/runs/{RUN}|Run>" in told
    assert "*Failed*\n61 (60 timeout, 1 rejected)" in told


def test_every_kind_fits_into_slacks_blocks() -> None:
    for kind in KINDS.values():
        _fits(kind)


def _fits(kind: Kind) -> None:
    most = {"header": 150, "section": 3000, "field": 2000, "context": 2000}
    for state in State:
        for audience in (DEVELOPERS, BUSINESS):
            words = words_of(message(state, kind, audience=audience, facts={"note": "<&> " * 2000}), PLACES)
            blocks = [block.to_dict() for block in blocks_of(words)]
            assert 3 <= len(blocks) <= 50
            for block in blocks:
                assert 1 <= len(block.get("fields", "x")) <= 10
                assert all(0 < len(text) <= most[where] for where, text in texts(block))


def test_text_of_ours_links_nowhere_and_calls_nobody(slack: Slack, ca: Path) -> None:
    channel(slack, ca).deliver(message(facts={"note": "<!channel> <https://evil.example|x> & more"}))

    told = str(slack.messages[0]["blocks"])
    assert "&lt;!channel&gt; &lt;https://evil.example|x&gt; &amp; more" in told
    assert "<!channel>" not in told


def test_a_drill_says_so_in_fallback_and_first_block(slack: Slack, ca: Path) -> None:
    channel(slack, ca).deliver(message(kind=DRILL))

    (sent,) = slack.messages
    assert "DRILL" in sent["text"]
    assert "DRILL" in sent["blocks"][0]["text"]["text"]


@pytest.mark.parametrize("body", [b"invalid_payload", b"invalid_blocks", b"no_text"])
def test_a_message_that_slack_calls_malformed_is_given_up(body: bytes, slack: Slack, ca: Path) -> None:
    slack.orders.append(answer(400, body))

    with pytest.raises(ChannelRefused, match=r"Slack answered 400: it calls this message malformed"):
        channel(slack, ca).deliver(message())


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, b"invalid_token"),
        (403, b"action_prohibited"),
        (404, b"no_service"),
        (410, b"channel_is_archived"),
    ],
)
def test_a_webhook_that_somebody_can_put_right_does_not_lose_the_alert(
    status: int, body: bytes, slack: Slack, ca: Path
) -> None:
    slack.orders.append(answer(status, body))

    with pytest.raises(ChannelUnavailable, match=f"Slack answered {status}"):
        channel(slack, ca).deliver(message())
    assert channel(slack, ca).deliver(message()) == "200 ok"


def test_a_200_that_is_not_slacks_is_no_acknowledgement(slack: Slack, ca: Path) -> None:
    slack.orders.append(answer(200, f"<html>{FOREIGN}</html>".encode()))

    with pytest.raises(ChannelUnavailable, match="none of its own"):
        channel(slack, ca).deliver(message())


def test_one_delivery_is_one_request_to_no_other_address(
    slack: Slack, ca: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for status in (302, 307, 429, 500, 503):
        slack.reset()
        slack.orders.append(answer(status, location=f"{slack.server.url}/elsewhere"))
        with pytest.raises(ChannelUnavailable):
            channel(slack, ca).deliver(message())
        assert slack.paths == [Slack.PATH]


def test_a_look_sends_nothing(slack: Slack, ca: Path) -> None:
    assert "can be reached" in channel(slack, ca).look()
    assert slack.bodies == []
