"""Python's logging and the interpreter's hooks: what is written there holds no client data and no secret.

`install` puts it where no logger and no handler can go round it: into the factory that makes every log
record of the process, and into the hooks that print uncaught exceptions.

* Exceptions are told by `esg_assets.core.exception_words`: type and place, our own texts, never another's.
* Loggers of ours and of Dagster say what they say, less secrets (`esg_assets.core.redaction`).
* Any other logger is a library's that may be writing of what it carries: an account in a URL, a row, a
  header. Of its messages the template stands, which is part of its source, and of each argument its
  type. A message without arguments may have been put together before: only its place is told.
"""

import logging
import re
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Any

from esg_assets.core import exception_words
from esg_assets.core.redaction import Redactor

TRUSTED = ("esg_assets", "dagster")
"""Loggers whose messages are shown: theirs are our own words, or Dagster's about runs and steps."""

TEMPLATE = "esg_template"
"""On a record of a trusted logger: its message before the arguments, the same at every time."""

ERROR = "esg_error"
"""On a record that was logged with an exception: the exception's type."""

_CONVERSION = re.compile(
    r"%(?:\((?P<key>[^)]*)\))?[-#0 +]*(?:\*|\d+)?(?:\.(?:\*|\d+))?[hlL]?(?P<kind>[a-zA-Z%])"
)


def install(known: Callable[[], Iterable[str]] = tuple) -> None:
    """Redact whatever this process logs or prints of uncaught exceptions from now on; once is enough.

    Args:
        known: the secrets that are known at the moment of a message.
    """
    before = logging.getLogRecordFactory()
    if not isinstance(before, RecordFactory):
        logging.setLogRecordFactory(RecordFactory(Words(known), before))
        _install_hooks()


def trusted(logger: str) -> bool:
    """Whether a logger's messages and fields are shown."""
    return logger.split(".", 1)[0] in TRUSTED


class Words:
    """What may be told: texts less secrets, and messages less what a library put in.

    Args:
        known: the secrets that are known at the moment.
    """

    def __init__(self, known: Callable[[], Iterable[str]]) -> None:
        self._known = known
        self._made: tuple[frozenset[str], Redactor] = (frozenset(), Redactor())

    def redacted(self, text: str) -> str:
        """`text` without secrets."""
        secrets = frozenset(self._known())
        if secrets != self._made[0]:
            self._made = (secrets, Redactor(secrets))
        return self._made[1](text)

    def message(self, logger: str, template: object, arguments: object, where: str) -> str:
        """What is logged, as it may be read."""
        try:
            if not trusted(logger):
                return self.redacted(_only_types(template, arguments, where))
            return self.redacted(str(template) % arguments if arguments else str(template))
        except Exception:  # noqa: BLE001  # arguments may do anything when they are shown; logging must not
            return f"(a message at {where} does not fit its arguments)"


class RecordFactory:
    """Makes every log record: with a message that may be read, and with no exception left in it.

    Args:
        words: what may be told.
        inner: the factory that was in force before.
    """

    def __init__(self, words: Words, inner: Callable[..., logging.LogRecord]) -> None:
        self._words = words
        self._inner = inner

    def __call__(  # noqa: PLR0917  # as logging calls it
        self,
        name: str | None,
        level: int | None,
        fn: str,
        lno: int,
        msg: object,
        args: object,
        exc_info: Any,
        func: str | None = None,
        sinfo: str | None = None,
        **more: Any,
    ) -> logging.LogRecord:
        """A record; the arguments are those that `logging` gives its factory."""
        # As logging does: a single mapping is meant for %(name)s.
        if isinstance(args, tuple) and len(args) == 1 and isinstance(args[0], Mapping) and args[0]:
            args = args[0]
        text = self._words.message(name or "", msg, args, exception_words.place(fn, lno, func or "?"))
        record = self._inner(name, level, fn, lno, text, (), None, func, sinfo, **more)
        if args and isinstance(msg, str) and trusted(name or ""):
            setattr(record, TEMPLATE, self._words.redacted(msg))
        error = exc_info[1] if isinstance(exc_info, tuple) else exc_info
        if isinstance(error, BaseException):
            # Formatters use this text where it is there, and find no exception to format themselves.
            record.exc_text = self._words.redacted(exception_words.told(error))
            setattr(record, ERROR, type(error).__name__)
        return record


class LineFormatter(logging.Formatter):
    """For our own handlers: redacts also what came into a record past the factory.

    Args:
        fmt: as logging.Formatter's.
        known: the secrets that are known at the moment.
    """

    def __init__(self, fmt: str, known: Callable[[], Iterable[str]] = tuple) -> None:
        super().__init__(fmt)
        self._words = Words(known)

    def format(self, record: logging.LogRecord) -> str:
        """One line, and below it the exception by type and place."""
        return self._words.redacted(super().format(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802  # logging's name
        """Type and place, without texts that may hold client data."""
        return exception_words.told(ei[1])


def _only_types(template: object, arguments: object, where: str) -> str:
    if not isinstance(template, str) or not arguments:
        return f"(message withheld, at {where})"
    given = arguments if isinstance(arguments, tuple | Mapping) else (arguments,)
    position = iter(given)

    def kind(match: re.Match[str]) -> str:
        if match["kind"] == "%":
            return "%"
        key = match["key"]
        if key is not None and isinstance(given, Mapping):
            value = given.get(key)
        else:  # a mapping of one argument may also be meant as a whole
            value = given if isinstance(given, Mapping) else next(position, None)
        return f"<{type(value).__name__}>"

    return _CONVERSION.sub(kind, template)


def _install_hooks() -> None:
    inner = sys.excepthook

    def uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            inner(kind, error, trace)
        else:
            _print(exception_words.told(error))

    def in_thread(args: threading.ExceptHookArgs) -> None:
        if args.exc_type is not SystemExit and args.exc_value is not None:
            name = args.thread.name if args.thread else "?"
            _print(f"In thread {name}:\n{exception_words.told(args.exc_value)}")

    def unraisable(args: Any) -> None:
        told = exception_words.told(args.exc_value) if args.exc_value else str(args.exc_type)
        _print(f"Nobody could catch this, at {type(args.object).__name__}:\n{told}")

    sys.excepthook, threading.excepthook, sys.unraisablehook = uncaught, in_thread, unraisable


def _print(text: str) -> None:
    if sys.stderr is not None:  # a daemon may have none
        sys.stderr.write(f"{text}\n")
