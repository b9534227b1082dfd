"""Pictures of alerts, to be looked at: `python -m esg_assets_tests.notifiers.pictures FOLDER`.

Mails are sent over SMTP and shown as the server received them; Slack's blocks by `slack_page`. It needs
Debian's chromium; nothing of it is run by the tests.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from playwright.sync_api import sync_playwright

from esg_assets.adapters.notifiers.email import EmailChannel
from esg_assets.adapters.notifiers.slack import blocks_of
from esg_assets.core.alerts.incidents import Message, State
from esg_assets.core.alerts.kinds import DRILL, FORECAST_LATE, GIVEN_UP, REPORT_LATE
from esg_assets.core.alerts.routes import BUSINESS, DEVELOPERS
from esg_assets.core.alerts.wording import words_of
from esg_assets_tests.notifiers import letters
from esg_assets_tests.notifiers.mail_servers import mail_server
from esg_assets_tests.notifiers.material import AT, FACTS, HEAD, PLACES, message
from esg_assets_tests.notifiers.slack_page import page_of

CHROMIUM = "/usr/bin/chromium"
_OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-sync",
)
WIDTHS = {"wide": 768, "phone": 375}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")

DUE = AT.replace(hour=13, minute=0)
LATE = {name: value for name, value in FACTS.items() if name in {"published", "deadline"}}
LATE |= {"expected_end": "2026-11-24T13:40:00+00:00"}
THERE = {"accounts": 955, "failed": 3, "not_rated": 12, "published": 1, "version": 1, "head": HEAD}

MESSAGES: dict[str, Message] = {
    "developers_error": message(),
    "business_late": message(
        kind=REPORT_LATE, audience=BUSINESS, facts=LATE, opened_at=DUE, seen_at=DUE, occurrences=1
    ),
    "business_resolved": message(State.RESOLVED, REPORT_LATE, audience=BUSINESS, facts=THERE),
    "developers_resolved": message(State.RESOLVED, facts=THERE),
    "developers_given_up": message(State.WORSE, GIVEN_UP, facts={**FACTS, "tries_again": 0, "attempts": 6}),
    "developers_warn": message(kind=FORECAST_LATE, facts=LATE),
    "developers_drill": message(kind=DRILL, facts={}),
}


def pages() -> Iterator[tuple[str, str]]:
    """Name and HTML of each picture."""
    with mail_server() as server:
        mails = EmailChannel(
            f"smtp://127.0.0.1:{server.port}",
            sender="esg@example.com",
            recipients={DEVELOPERS: ["dev@example.com"], BUSINESS: ["desk@example.com"]},
            places=PLACES,
        )
        for name, one in MESSAGES.items():
            mails.deliver(one)
            body = server.mails[-1].get_body(("html",))
            assert body is not None
            yield f"mail_{name}", body.get_content()
        for name, (history, past) in letters.examples().items():
            letters.channel(server.port, history).deliver(letters.told_of(past))
            yield f"report_{name}", letters.shown(server.mails[-1])
    for name in ("developers_error", "developers_resolved", "developers_drill"):
        words = words_of(MESSAGES[name], PLACES)
        yield f"slack_{name}", page_of([block.to_dict() for block in blocks_of(words)])


def main(folder: Path) -> None:
    """Write a picture of every page in every width; of mails about reports in both schemes."""
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=list(_OPTIONS))
        for name, html in pages():
            for scheme in SCHEMES if name.startswith("report_") else SCHEMES[:1]:
                for kind, width in WIDTHS.items():
                    page = browser.new_page(
                        viewport={"width": width, "height": 400}, device_scale_factor=1.5, color_scheme=scheme
                    )
                    page.set_content(html)
                    wide = page.evaluate("document.documentElement.scrollWidth")
                    sys.stdout.write(f"{name} {scheme} {kind}: {wide} px wide in {width}\n")
                    page.screenshot(path=folder / f"{name}_{scheme}_{kind}.png", full_page=True)
                    page.close()
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
