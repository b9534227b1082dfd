"""What a run prints on standard error: plain lines of ours, and on a terminal a bar while it asks.

None of Dagster's own debugging: that is in its event log, and a failure is told by whoever started
the run.
"""

import logging
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import dagster as dg

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

PROGRESS = "esg_progress"
"""`extra` of a log call: done, wanted and note, for the bar."""


class _Line(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        told = getattr(record, "dagster_meta", {})
        step = told.get("step_key") or "run"
        text = told.get("orig_message") or record.getMessage()
        at = datetime.fromtimestamp(record.created, UTC)
        return f"{at:%H:%M:%S}Z {record.levelname.lower()} {step}: {text}"


class TerminalBar(logging.Handler):
    """Lines above, and one bar below while accounts are asked for."""

    def __init__(self, file: Any = None) -> None:
        from rich.console import Console  # noqa: PLC0415  # only a terminal needs it

        super().__init__()
        self._console = Console(file=file or sys.stderr, highlight=False)
        self._bar: Bar | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Show a record; any but the next progress ends the bar."""
        progress = getattr(record, PROGRESS, None)
        if progress is None:
            self.close_bar()
            self._console.print(self.format(record), markup=False, soft_wrap=True)
        else:
            self._show(progress)

    def close_bar(self) -> None:
        """Leave the bar as it is and give the cursor back."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _show(self, progress: dict[str, Any]) -> None:
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


def _ours(record: logging.LogRecord) -> bool:
    told = getattr(record, "dagster_meta", {})
    skipped = str(told.get("orig_message", "")).startswith("Dependencies for step ")
    return not told.get("dagster_event") and not skipped


@dg.logger(
    config_schema={"log_level": dg.Field(str, default_value="INFO")},
    description="One plain line per message on standard error; on a terminal, a bar for progress.",
)
def plain_lines(context: dg.InitLoggerContext) -> logging.Logger:
    """The logger of every run from the command line."""
    level = str(context.logger_config["log_level"])
    logger = logging.Logger("esg_assets", level=level)  # noqa: LOG001  # a global one would keep its handlers
    handler = TerminalBar() if sys.stderr.isatty() else logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Line())
    handler.addFilter(_ours)
    logger.addHandler(handler)
    return logger
