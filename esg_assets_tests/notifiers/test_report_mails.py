"""Mails about reports, as a real SMTP server received them."""

import logging
import re
import struct
import subprocess
import sys
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from esg_assets.adapters.notifiers import chart_picture
from esg_assets.adapters.notifiers.chart_picture import png_of
from esg_assets.core.alerts.wording import Places
from esg_assets.core.errors import ChannelUnavailable
from esg_assets.core.page_figures import Bar
from esg_assets.core.report_mail import Histogram
from esg_assets_tests.fake_history import MemoryHistory
from esg_assets_tests.notifiers.letters import channel, examples, latest, mended, shown, told_of
from esg_assets_tests.notifiers.mail_servers import MailServer
from esg_assets_tests.site.browser import chromium
from esg_assets_tests.site.month import LAST, PARTIAL, month

EXAMPLES = list(examples())
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
MOST_BYTES = 100_000
"""Of the HTML: Gmail cuts longer ones."""


def received(relay: MailServer, name: str) -> EmailMessage:
    history, past = examples()[name]
    receipt = channel(relay.port, history).deliver(told_of(past))
    assert re.fullmatch(r"250, 1 of 1 addresses, message [0-9a-f]{12}", receipt)
    (mail,) = relay.mails
    return mail


def html_of(mail: EmailMessage) -> str:
    body = mail.get_body(("html",))
    assert body is not None
    return str(body.get_content())


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


@pytest.mark.parametrize("name", EXAMPLES)
def test_text_html_and_a_chart_that_is_in_the_mail_itself(relay: MailServer, name: str) -> None:
    mail = received(relay, name)

    assert [part.get_content_type() for part in mail.walk()] == [
        "multipart/alternative",
        "text/plain",
        "multipart/related",
        "text/html",
        "image/png",
    ]
    *_, picture = mail.walk()
    html = html_of(mail)
    ((cid, alternative),) = re.findall(r'<img src="cid:([^"]+)"[^>]* alt="([^"]+)"', html)
    assert picture["Content-ID"] == f"<{cid}>"
    assert picture.get_content_disposition() == "inline"
    assert alternative.startswith("Accounts by overall score. 45 to 50: withheld; 50 to 55: 1")
    png = picture.get_content()
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", png[16:24]) == (880, 400)
    assert len(png) < MOST_BYTES


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_html_is_small_styled_where_it_stands_and_loads_nothing(relay: MailServer, name: str) -> None:
    html = html_of(received(relay, name))

    assert len(html.encode()) < MOST_BYTES
    assert len(html.encode()) < 25_000, "it is one page of text"
    assert re.search(r'<td style="[^"]*border', html)
    assert re.findall(r'(?:src|background)="(?!cid:)', html) == []
    assert not re.search(r"url\(|@import|<script|<link|http-equiv", html)
    assert set(re.findall(r'href="([^"]+)"', html)) == {
        f"https://esg.example.com/reports/{examples()[name][1].published.report_date}/index.html"
    }


@pytest.mark.parametrize("name", EXAMPLES)
def test_nobody_and_no_run_is_named(relay: MailServer, name: str) -> None:
    mail = received(relay, name)
    everything = "".join([*map(str, mail.values()), text_of(mail), html_of(mail)])

    assert examples()[name][1].published.run_id not in everything
    assert not re.search(r"\bA\d{6}\b", everything)
    assert "jdoe" not in everything
    assert "esg/prod" not in everything


def test_headers_say_who_whom_and_what(relay: MailServer) -> None:
    mail = received(relay, "partial")

    assert relay.recipients == [("readers@example.com",)]
    assert mail["From"] == "ESG report prod <esg@example.com>"
    assert mail["Subject"] == (
        "[ESG report prod] PARTIAL 2026-11-19: 89.7% rated, 80 failed, mean score 57.8 (unchanged)"
    )
    assert "\n" not in str(dict(mail.raw_items())["Subject"]), "begun on its own line after an empty one"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Importance"] is None
    assert mail["References"] is None
    assert text_of(mail).startswith("PARTIAL: ESG report of 19 November 2026.")
    assert ">PARTIAL &middot; prod<" in html_of(mail).replace("·", "&middot;")


def test_a_correction_is_in_the_thread_of_what_it_corrects(relay: MailServer) -> None:
    for past in mended().versions(PARTIAL):
        channel(relay.port, mended()).deliver(told_of(past))

    first, second = relay.mails
    assert second["References"] == second["In-Reply-To"] == first["Message-ID"]
    assert first["Message-ID"] != second["Message-ID"]
    for each in (text_of(second), html_of(second)):
        assert "This corrects version 1. Why: provider mended its governance data." in each
    assert re.search(r"Failed</th><td[^>]*>80</td><td[^>]*>9</td>", html_of(second))


def test_a_repeat_is_the_same_mail_but_for_boundaries(relay: MailServer) -> None:
    for _ in range(2):
        channel(relay.port, month()).deliver(told_of(latest(month(), LAST)))

    first, second = (re.sub(rb"={15}\d+==", b"=", mail.as_bytes()) for mail in relay.mails)
    assert first == second


def test_a_chart_that_cannot_be_drawn_leaves_its_numbers_and_a_warning(
    relay: MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: Histogram) -> bytes:
        raise ChannelUnavailable("The process that draws the chart did not end within 20 s.")

    one = channel(relay.port, month(), draw=broken)
    with caplog.at_level(logging.WARNING):
        receipt = one.deliver(told_of(latest(month(), LAST)))

    assert receipt.endswith(", without its chart")
    (mail,) = relay.mails
    assert [part.get_content_type() for part in mail.walk()][1:] == ["text/plain", "text/html"]
    assert "55 to 60: 418" in html_of(mail)
    assert "<img" not in html_of(mail)
    (told,) = caplog.messages
    assert told.startswith(
        "The process that draws the chart did not end within 20 s. "
        "The mail about the ESG report of 24 November"
    )
    assert told.endswith(" goes out without it.")


def test_drawing_that_fails_or_takes_too_long_says_so_and_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bars = _bars()
    chart_picture._drawn.cache_clear()
    with pytest.raises(ChannelUnavailable, match=r"did not end within 0\.01 s"):
        png_of(bars, seconds=0.01)
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(ChannelUnavailable, match="ended with status 1"):
        png_of(bars)
    monkeypatch.setattr(sys, "executable", f"{tmp_path}/nothing")
    with pytest.raises(ChannelUnavailable, match="could not be started"):
        png_of(bars)
    monkeypatch.undo()
    assert png_of(bars) == png_of(bars)


def test_what_delivers_loads_nothing_that_draws() -> None:
    program = (
        "import sys, esg_assets.definitions, esg_assets.report_letters;"
        "import esg_assets.adapters.notifiers.email, esg_assets.adapters.notifiers.chart_picture;"
        "print(sorted({'altair', 'vl_convert'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"


def test_without_an_address_of_the_pages_there_is_no_link(relay: MailServer) -> None:
    channel(relay.port, month(), places=Places()).deliver(told_of(latest(month(), LAST)))

    (mail,) = relay.mails
    assert "href" not in html_of(mail)
    assert "http" not in text_of(mail)


def test_a_version_that_stands_no_more_sends_no_mail(relay: MailServer) -> None:
    past = latest(month(), LAST)

    assert channel(relay.port, MemoryHistory()).deliver(told_of(past)).startswith("no mail: that version")
    assert relay.mails == []


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.mark.parametrize("name", EXAMPLES)
def test_it_fits_a_phone_and_a_desk_is_readable_by_all_and_asks_for_nothing(
    relay: MailServer, browser: Browser, name: str
) -> None:
    html = shown(received(relay, name))
    asked: list[str] = []
    for scheme in SCHEMES:
        for width in (375, 768):
            page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
            page.on("request", lambda request: asked.append(request.url[:30]))
            page.set_content(html)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert page.evaluate("document.images[0].naturalWidth") == 880
            found = Axe().run(page)
            assert found.violations_count == 0, (scheme, width, found.generate_report())
            page.close()
    assert [url for url in asked if not url.startswith("data:image/png")] == []


@pytest.mark.parametrize(
    ("accounts", "label"),
    [
        (12, "12"),
        (999, "999"),
        (1_000, "1.0k"),
        (4_180, "4.2k"),
        (41_800, "42k"),
        (999_600, "1.0M"),
        (41_800_000, "42M"),
    ],
)
def test_numbers_above_bars_are_as_short_as_the_bars_are_wide(accounts: float, label: str) -> None:
    assert chart_picture._short(accounts) == label


def _bars() -> Histogram:
    values = [None, 3.0, 12.0, 40.0, None]
    return Histogram([Bar("", value, "") for value in values], None, "", "", "")
