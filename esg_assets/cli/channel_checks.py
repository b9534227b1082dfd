"""The look of `esg-assets doctor` at the channels of alerts: no alert is sent, nobody is disturbed.

A mail server is asked as far as it goes without a mail; with the others TLS is agreed on. Which channels
there are, and what nobody would be told of, is `esg_assets.alert_choice`'s.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from esg_assets.cli.doctor_checks import Finding
from esg_assets.core.errors import EsgError

if TYPE_CHECKING:
    from esg_assets.alert_choice import BuiltChannel
    from esg_assets.settings import Settings


def channels_answer(settings: "Settings") -> Iterator[Finding]:
    """Every channel that is set up can be reached, and somebody would be told."""
    from esg_assets import alert_choice  # noqa: PLC0415 - pydantic is slow to import

    built = alert_choice.channels(settings)
    with ThreadPoolExecutor(max(len(built), 1)) as pool:
        yield from pool.map(_look, built)
    gaps = list(alert_choice.gaps(settings))
    yield from (Finding("warning", gap) for gap in gaps)
    if not built and not gaps:
        yield Finding("skipped", "no channel is set up, so that nobody is told of an incident")


def _look(channel: "BuiltChannel") -> Finding:
    try:
        return Finding("ok", f"{channel.name}: {channel.look()}")
    except EsgError as error:
        return Finding("wrong", f"{channel.name}: {error}")
