"""A log record as one line: JSON for machines, with the same fields every time; made with structlog.

What may be told at all is decided before, by the record factory of `esg_assets.adapters.logs`; here
everything is redacted once more, because fields (`extra`) and records that were made without the
factory come round it. Where lines go is `esg_assets.log_output`.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from datetime import UTC, datetime
from typing import Any

import structlog

from esg_assets.adapters.logs import ERROR, TEMPLATE, Words, trusted
from esg_assets.core import exception_words
from esg_assets.core.pseudonyms import Pseudonyms
from esg_assets.core.telling import EVENT, FIELDS, Account

LONGEST = 2_000
"""Characters of one field; a line must pass every collector (syslog's limit is 8 KiB)."""

ORDER = (
    *("timestamp", "level", "event", "message", "environment", "run_id", "job", "partition", "asset"),
    *("account", "reason", "error"),
)
"""Fields that stand first, in this order, where they are there."""

_NOT_SAID = frozenset(
    {
        *logging.makeLogRecord({}).__dict__,
        *("message", "asctime", "taskName", TEMPLATE, ERROR, EVENT, FIELDS),
        *("dagster_meta", "dagster_event", "dagster_event_batch_metadata", "esg_progress"),
    }
)
_LEVELS = {"WARN": "warning", "WARNING": "warning", "FATAL": "critical"}

Line = MutableMapping[str, Any]


class LineMaker:
    """Makes lines of records, by structlog's processors.

    Args:
        known: the secrets that are known at the moment.
        environment: `dev`, `test` or `prod`; "" if it is not known.
        pseudonyms: names accounts.
    """

    def __init__(
        self, known: Callable[[], Iterable[str]], environment: str = "", pseudonyms: Pseudonyms | None = None
    ) -> None:
        self._words = Words(known)
        self._environment = environment
        self._pseudonyms = pseudonyms or Pseudonyms("")
        # In ASCII: a line separator of Unicode would end a line for some, and half a character for everybody.
        self._render = structlog.processors.JSONRenderer(ensure_ascii=True)
        self._processors: tuple[structlog.typing.Processor, ...] = (
            structlog.contextvars.merge_contextvars,
            self._redacted,
            in_order,
        )

    def line(self, record: logging.LogRecord, told: Mapping[str, object] | None = None) -> Line:
        """The fields of a record, redacted and in order.

        Args:
            record: as it was logged.
            told: fields that are known from elsewhere, such as the run; they count before the record's.
        """
        event: Line = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": _LEVELS.get(record.levelname, record.levelname.lower()),
            "environment": self._environment,
            "logger": record.name,
            **self._said(record, dict(told or {})),
        }
        for process in self._processors:
            event = process(None, record.levelname.lower(), event)  # type: ignore[assignment]  # as given
        return event

    def json(self, line: Line) -> str:
        """A line as one line of JSON."""
        return str(self._render(None, "", dict(line)))

    def _said(self, record: logging.LogRecord, told: dict[str, object]) -> dict[str, object]:
        """The message, fixed and whole, the exception, the `extra` of loggers of ours, and what is told."""
        said: dict[str, object] = {}
        if "event" not in told:
            whole = told.pop("message", None) or self._message(record)
            fixed = getattr(record, EVENT, None) or getattr(record, TEMPLATE, None) or whole
            said = {"event": fixed} if fixed == whole else {"event": fixed, "message": whole}
        said["error"] = getattr(record, ERROR, None)
        said["exception"] = record.exc_text or self._exception(record)
        if trusted(record.name):
            said |= {name: value for name, value in record.__dict__.items() if name not in _NOT_SAID}
            said |= getattr(record, FIELDS, {})
        return said | told

    def _message(self, record: logging.LogRecord) -> str:
        if not record.args:  # the factory has put it together
            return str(record.msg)
        place = exception_words.place(record.pathname, record.lineno, record.funcName or "?")
        return self._words.message(record.name, record.msg, record.args, place)

    @staticmethod
    def _exception(record: logging.LogRecord) -> str:
        error = record.exc_info[1] if record.exc_info else None
        return exception_words.told(error) if error is not None else ""

    def _redacted(self, _: object, __: str, event: Line) -> Line:
        """No secret in any field, and none that cannot be written."""
        plain = {str(name): self._plain(value) for name, value in event.items()}
        return {name: value for name, value in plain.items() if value not in ("", None)}

    def _plain(self, value: object) -> object:
        match value:
            case None | bool() | int() | float():
                return value
            case Account():
                return self._pseudonyms.of(value)
            case str():
                text = self._words.redacted(str(value))
                return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
            case Mapping():
                return {self._words.redacted(str(name)): self._plain(each) for name, each in value.items()}
            case list() | tuple():
                return [self._plain(each) for each in value]
        return f"<{type(value).__name__}>"  # its text may hold anything


def in_order(_: object, __: str, event: Line) -> Line:
    """What every line has first, then the rest by name."""
    first = [name for name in ORDER if name in event]
    return {name: event[name] for name in [*first, *sorted(event.keys() - set(first))]}
