"""What a run prints: lines, and a bar on a terminal that leaves the cursor where it found it."""

import io
import logging

import pytest

from esg_assets.run_logger import TerminalBar, in_words


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("TERM", "xterm")
    return Terminal()


def progress(done: int) -> dict[str, object]:
    return {"done": done, "wanted": 10, "note": "2 failed, 50/s"}


def test_progress_is_a_bar_and_the_next_line_stands_below_it(terminal: Terminal) -> None:
    bar = TerminalBar(terminal)
    for text, told in (("asking", None), ("", progress(1)), ("", progress(10)), ("done", None)):
        bar.show(text, told)

    shown = terminal.getvalue()
    assert shown.index("asking\n") < shown.index("10/10") < shown.index("done\n")
    assert "2 failed, 50/s\n" in shown
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l"), "the cursor is back"


def test_square_brackets_in_a_message_are_no_markup(terminal: Terminal) -> None:
    TerminalBar(terminal).show("[red]10 of [12]", None)

    assert terminal.getvalue() == "[red]10 of [12]\n"


def test_people_read_time_level_asset_and_sentence_and_below_it_the_exception() -> None:
    record = logging.makeLogRecord({"created": 1_768_450_000.0})
    line = {
        "event": "asking the provider",
        "message": "asking for 3",
        "level": "info",
        "asset": "esg_ratings",
    }
    assert in_words(record, line) == "04:06:40Z info esg_ratings: asking for 3"
    assert in_words(record, {"event": "x", "level": "error", "exception": "E"}) == "04:06:40Z error run: x\nE"
