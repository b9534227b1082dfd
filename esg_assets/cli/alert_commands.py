"""`esg-assets alerts`: detect and deliver, prove each channel, hold a fire drill."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from esg_assets.cli.answers import Answer, Rows
from esg_assets.cli.commands import Commands
from esg_assets.core import exception_words
from esg_assets.core.alerts.routes import CHANNELS, Routes
from esg_assets.core.errors import EsgError, SettingsWrong

if TYPE_CHECKING:
    from esg_assets.alert_delivery import Delivery
    from esg_assets.alert_drill import Proof
    from esg_assets.core.alerts.incidents import Message
    from esg_assets.core.alerts.ports import Channel, Outbox, Refusal, Waiting
    from esg_assets.delivery_lanes import Trouble
    from esg_assets.detection import Detected
    from esg_assets.settings import Settings

FLUSH_SECONDS = 300.0
"""How long `flush` delivers at most; nothing waits for it as Dagster waits for a sensor's tick."""

REFUSED_DAYS = 7
"""For how long `flush` lists what was refused for good."""

_NONE = (
    "No alert channel is set up. Set ESG_SMTP_URL with ESG_ALERT_EMAIL_FROM and ESG_ALERT_EMAIL_DEV, "
    "ESG_PAGERDUTY_ROUTING_KEY, ESG_SLACK_WEBHOOK_URL, ESG_APPRISE_URLS or ESG_HEARTBEAT_URL."
)


def register(commands: Commands) -> None:
    """Add the commands."""
    commands.add("alerts flush", flush)
    commands.add("alerts test", send_test)
    commands.add("alerts drill", drill)


def flush(
    now: Annotated[bool, typer.Option("--now", help="Also what waits for its next try.")] = False,
    give_up: Annotated[
        str | None,
        typer.Option(
            "--give-up",
            metavar="CHANNEL",
            help="Before that, end for good what waits for a channel that is no longer set up.",
        ),
    ] = None,
) -> Answer:
    """Look for what is wrong and for what is well again, then deliver; exit 1 if anything stays behind."""
    from esg_assets import alert_choice  # noqa: PLC0415 - slow to import
    from esg_assets.alert_delivery import deliver_due, new_deliverer  # noqa: PLC0415
    from esg_assets.settings import dagster_home, load_settings  # noqa: PLC0415

    dagster_home()
    # A wrong setting must not keep back what can be told without it.
    settings = load_settings(tolerant=True)
    outbox, routes = alert_choice.outbox(settings), alert_choice.routes(settings)
    channels = alert_choice.channels(settings)
    given_up = _given_up(outbox, channels, give_up)
    detected, faults = _detected(settings, outbox, routes)
    result = deliver_due(outbox, channels, routes, new_deliverer(), _clock, seconds=FLUSH_SECONDS, early=now)
    wrong = [*(str(fault) for fault in settings.faults), *faults]
    answer = _flushed(detected, wrong, result, outbox.waiting(_clock()), early=now)
    refusals = outbox.refusals(_clock() - timedelta(days=REFUSED_DAYS))
    first = [] if give_up is None else [f"Given up: {given_up:,} messages for {give_up}."]
    shown = [*first, *answer.shown, *(_refusal_line(each) for each in refusals)]
    data = {
        **answer.data,
        "given_up": given_up,
        "refusals": [
            _told_data(each.message) | {"at": each.refused_at.isoformat(), "why": each.why}
            for each in refusals
        ],
    }
    return Answer(data, shown, answer.status)


def send_test(
    channel: Annotated[
        str | None, typer.Option("--channel", metavar="NAME", help=f"Only one of {', '.join(CHANNELS)}.")
    ] = None,
) -> Answer:
    """Send a marked test straight through each channel that is set up; exit 1 if one does not take it."""
    from esg_assets.alert_drill import send_tests  # noqa: PLC0415 - slow to import

    settings, channels, routes = _set_up()
    if channel is not None:
        _require_channel(channel, "--channel")
        channels = [each for each in channels if each.name == channel]
        if not channels:
            raise SettingsWrong(f"The channel {channel} is not set up; esg-assets settings shows what is.")
    proofs = list(send_tests(settings.env, channels, routes, _clock))
    return _proved(proofs, {}, "Every channel took its test.", "did not take them")


def drill() -> Answer:
    """Open and end a marked drill through every routed channel; exit 1 unless all acknowledge both."""
    from esg_assets import alert_choice, alert_drill  # noqa: PLC0415 - slow to import
    from esg_assets.settings import dagster_home  # noqa: PLC0415

    dagster_home()
    settings, channels, routes = _set_up()
    outbox = alert_choice.outbox(settings)
    key, proofs = alert_drill.drill(outbox, channels, routes, _clock, time.sleep)
    if not proofs:
        raise SettingsWrong("ESG_ALERT_ROUTES sends nothing to the channels that are set up.")
    gaps = list(alert_choice.gaps(settings))
    done = f"Every channel that is set up acknowledged the drill {key} and its end. The receipts are kept."
    told = _proved(proofs, {"incident": key, "gaps": gaps}, done, "did not acknowledge them")
    return replace(told, shown=[*told.shown, *(f"But {gap}." for gap in gaps)], status=1) if gaps else told


def _given_up(outbox: "Outbox", channels: "Sequence[Channel]", name: str | None) -> int:
    from esg_assets.alert_delivery import give_up, new_deliverer  # noqa: PLC0415 - slow to import

    if name is None:
        return 0
    _require_channel(name, "--give-up")
    if any(channel.name == name for channel in channels):
        raise SettingsWrong(
            f"The channel {name} is set up, so what waits for it is delivered; --give-up is for others."
        )
    return give_up(outbox, name, new_deliverer(), _clock)


def _require_channel(name: str, option: str) -> None:
    if name not in CHANNELS:
        raise SettingsWrong(f"{option} names {name!r}. Wanted: one of {', '.join(CHANNELS)}.")


def _clock() -> datetime:
    return datetime.now(UTC)


def _set_up() -> "tuple[Settings, Sequence[Channel], Routes]":
    from esg_assets import alert_choice  # noqa: PLC0415 - slow to import
    from esg_assets.settings import load_settings  # noqa: PLC0415

    settings = load_settings()
    channels: Sequence[Channel] = alert_choice.channels(settings)
    if not channels:
        raise SettingsWrong(_NONE)
    return settings, channels, alert_choice.routes(settings)


def _detected(
    settings: "Settings", outbox: "Outbox", routes: Routes
) -> "tuple[Detected | None, Sequence[str]]":
    """One look at everything, and what could not be looked at: what waits is delivered all the same."""
    from esg_assets import composition  # noqa: PLC0415 - slow to import
    from esg_assets.detection import detect  # noqa: PLC0415
    from esg_assets.instances import opened_instance  # noqa: PLC0415

    try:
        with opened_instance(composition.leases(settings)) as instance:
            history = composition.history(settings)
            found = detect(instance, history, outbox, routes, settings, _clock())
    except EsgError as error:
        return None, [f"nothing was looked at: {error}"]
    except Exception as error:  # noqa: BLE001 - whatever Dagster's instance raises
        where = exception_words.places(error.__traceback__)[-1]
        return None, [f"nothing was looked at: an unexpected {type(error).__name__} at {where}"]
    return found, list(found.faults)


def _flushed(
    detected: "Detected | None", faults: Sequence[str], result: "Delivery", waiting: "Waiting", *, early: bool
) -> Answer:
    looked = None
    if detected is not None:
        looked = {
            "runs": detected.runs,
            "unwell": detected.unwell,
            "well": detected.well,
            "changed": [incident.key for incident in detected.changed],
        }
    data = {
        "detected": looked,
        "delivered": dict(result.delivered),
        "troubles": [_trouble_data(each) for each in result.troubles],
        "waiting": _waiting_data(waiting),
        "faults": list(faults),
    }
    bad = bool(result.troubles or waiting.pending or faults)
    return Answer(data, list(_flush_lines(detected, faults, result, waiting, early=early)), 1 if bad else 0)


def _flush_lines(
    detected: "Detected | None", faults: Sequence[str], result: "Delivery", waiting: "Waiting", *, early: bool
) -> Iterator[str]:
    yield "Looked: at nothing." if detected is None else f"Looked: {detected}."
    yield from (f"Wrong: {fault}" for fault in faults)
    if result.delivered:
        yield f"Delivered: {_counts(result.delivered)}."
    elif not result.troubles:
        yield "Delivered: nothing was due."
    for each in result.troubles:
        if not each.refused:
            yield f"Not delivered: {_told(each.message)}: {each.why}"
    if waiting.pending:
        hint = "" if early else "; --now tries them at once"
        since = f"{waiting.oldest:%Y-%m-%d %H:%M}Z"
        yield f"Still waiting: {_counts(waiting.pending)}, the oldest since {since}{hint}."


def _counts(by_channel: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} by {channel}" for channel, count in sorted(by_channel.items()))


def _told_data(message: "Message") -> dict[str, object]:
    return {
        "channel": message.channel,
        "audience": message.audience,
        "incident": message.incident.key,
        "state": message.state.value,
    }


def _trouble_data(trouble: "Trouble") -> dict[str, object]:
    return _told_data(trouble.message) | {"refused": trouble.refused, "why": trouble.why}


def _told(message: "Message") -> str:
    return f"{message.incident.key} ({message.state}) by {message.channel} to {message.audience}"


def _refusal_line(refusal: "Refusal") -> str:
    at = f"{refusal.refused_at:%Y-%m-%d %H:%M}Z"
    return f"Never told: {_told(refusal.message)}, refused at {at}: {refusal.why}"


def _waiting_data(waiting: "Waiting") -> dict[str, object]:
    return {
        "pending": dict(waiting.pending),
        "oldest": None if waiting.oldest is None else waiting.oldest.isoformat(),
        "refused": dict(waiting.refused),
    }


def _proved(proofs: "Sequence[Proof]", head: Mapping[str, object], done: str, failed: str) -> Answer:
    missing = [proof for proof in proofs if not proof.taken]
    data = {
        **head,
        "ok": not missing,
        "messages": [
            {
                "channel": proof.channel,
                "audience": proof.audience,
                "state": proof.state.value,
                "delivered_at": None if proof.delivered_at is None else proof.delivered_at.isoformat(),
                "receipt": proof.receipt or None,
                "why": proof.why or None,
            }
            for proof in proofs
        ],
    }
    rows = [
        [proof.channel, proof.audience, proof.state.value, proof.receipt or f"NO: {proof.why}"]
        for proof in proofs
    ]
    names = ", ".join(dict.fromkeys(proof.channel for proof in missing))
    end = f"{len(missing)} of {len(proofs)} messages are missing: {names} {failed}." if missing else done
    return Answer(data, [Rows(["channel", "audience", "message", "receipt"], rows), end], 1 if missing else 0)
