"""What a run prints: lines, and a bar on a terminal that leaves the cursor where it found it."""

import io
import logging

import pytest

from esg_assets.run_logger import PROGRESS, TerminalBar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("TERM", "xterm")
    return Terminal()


def told(message: str, **extra: object) -> logging.LogRecord:
    return logging.makeLogRecord({"msg": message, "levelname": "INFO", **extra})


def progress(done: int) -> logging.LogRecord:
    return told("", **{PROGRESS: {"done": done, "wanted": 10, "note": "2 failed, 50/s"}})


def test_progress_is_a_bar_and_the_next_line_stands_below_it(terminal: Terminal) -> None:
    bar = TerminalBar(terminal)
    for record in (told("asking"), progress(1), progress(10), told("done")):
        bar.emit(record)

    shown = terminal.getvalue()
    assert shown.index("asking\n") < shown.index("10/10") < shown.index("done\n")
    assert "2 failed, 50/s\n" in shown
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l"), "the cursor is back"


def test_square_brackets_in_a_message_are_no_markup(terminal: Terminal) -> None:
    TerminalBar(terminal).emit(told("[red]10 of [12]"))

    assert terminal.getvalue() == "[red]10 of [12]\n"
