"""How people read a run on standard error: plain lines of ours, and on a terminal a bar while it asks.

None of Dagster's own events: these are in its event log, and a failure is told by whoever started
the run. Whether people read at all, or machines, is decided in `esg_assets.log_output`.
"""

import logging
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from esg_assets.log_place import is_terminal

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

PROGRESS = "esg_progress"
"""`extra` of a log call: done, wanted and note, for the bar."""

FOR_MACHINES = frozenset({"account failed"})
"""Events that come so often that people read their sum instead."""


class TerminalBar:
    """Lines above, and one bar below while accounts are asked for."""

    def __init__(self, file: Any = None) -> None:
        from rich.console import Console  # noqa: PLC0415  # only a terminal needs it

        self._console = Console(file=file or sys.stderr, highlight=False)
        self._bar: Bar | None = None

    def show(self, text: str, progress: Mapping[str, Any] | None) -> None:
        """Show a line, or the next progress; a line ends the bar."""
        if progress is None:
            self.close_bar()
            self._console.print(text, markup=False, soft_wrap=True)
        else:
            self._show(progress)

    def close_bar(self) -> None:
        """Leave the bar as it is and give the cursor back."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _show(self, progress: Mapping[str, Any]) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn  # noqa: PLC0415

        if self._bar is None:
            self._bar = Progress(
                TextColumn("accounts"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[note]}"),
                console=self._console,
                auto_refresh=False,  # no thread of its own: it moves when there is something to tell
            )
            self._bar.add_task("", total=progress["wanted"], note="")
            self._bar.start()
        task = self._bar.task_ids[0]
        self._bar.update(task, total=progress["wanted"], completed=progress["done"], note=progress["note"])
        self._bar.refresh()


class ForPeople:
    """Shows lines on standard error: above a bar if that is a terminal.

    What is a terminal when this is made is written to for good: Dagster leads standard error into a file
    while a step runs, and a bar in there is of no use to anybody.
    """

    def __init__(self) -> None:
        self._bar: TerminalBar | None = None
        if is_terminal(sys.stderr):
            self._bar = TerminalBar(os.fdopen(os.dup(sys.stderr.fileno()), "w", encoding="utf-8"))

    def show(self, record: logging.LogRecord, line: Mapping[str, Any]) -> None:
        """Show a record, whose line this is, unless it is for machines alone."""
        if line["event"] in FOR_MACHINES:
            return
        text = in_words(record, line)
        if self._bar is not None:
            self._bar.show(text, getattr(record, PROGRESS, None))
        elif sys.stderr is not None:
            sys.stderr.write(f"{text}\n")
            sys.stderr.flush()


def in_words(record: logging.LogRecord, line: Mapping[str, Any]) -> str:
    """A line as people read it; below it the exception, if there is one."""
    at = datetime.fromtimestamp(record.created, UTC)
    told = line.get("message", line["event"])
    below = f"\n{line['exception']}" if "exception" in line else ""
    return f"{at:%H:%M:%S}Z {line['level']} {line.get('asset') or 'run'}: {told}{below}"
