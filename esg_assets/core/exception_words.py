"""What may be told of an exception: its type and where it arose, and the text only of our own errors.

The text of any other exception may hold whatever its library was working on: an account, a score, a
URL with a password, a query's parameters. So do its notes, its arguments and the local variables of
its frames. None of these is told, of the exception or of those it was caused by.
"""

import re
from collections.abc import Iterator
from types import TracebackType

from esg_assets.core.errors import EsgError

_PACKAGES = re.compile(r"^.*/(?=esg_assets(_tests)?/)|^.*/site-packages/|^.*/(?=[^/]+$)")
"""What of a file's path says where this machine keeps it."""

HEAD = "Traceback (most recent call last), without the texts of errors that are not ours:"
WITHHELD = "(text withheld: it may hold client data)"
_DEEPEST = 10
"""Causes of causes that are told; a chain may also be a circle."""


def place(filename: str, line: int | None, name: str) -> str:
    """Where a frame is: file from its package on, line, function."""
    return f"{_PACKAGES.sub('', filename)}:{line} in {name}"


def places(trace: TracebackType | None) -> list[str]:
    """Where an error passed through, outermost first."""
    found = []
    while trace is not None:
        code = trace.tb_frame.f_code
        found.append(place(code.co_filename, trace.tb_lineno, code.co_name))
        trace = trace.tb_next
    return found


def headline(error: BaseException) -> str:
    """The last line of a traceback: the type, and the text if it is an error of ours."""
    kind = type(error).__name__
    if isinstance(error, EsgError):
        return f"{kind}: {error}"
    return kind if isinstance(error, KeyboardInterrupt | SystemExit) else f"{kind} {WITHHELD}"


def told(error: BaseException) -> str:
    """An exception with everything it was caused by, in lines: a traceback without its texts."""
    return "\n".join([HEAD, *_chain(error, set())])


def _chain(error: BaseException, seen: set[int]) -> Iterator[str]:
    if id(error) in seen or len(seen) >= _DEEPEST:
        return
    seen.add(id(error))
    yield from (f"  {each}" for each in places(error.__traceback__))
    yield headline(error)
    if isinstance(error, BaseExceptionGroup):
        for number, each in enumerate(error.exceptions, 1):
            yield f"error {number} of {len(error.exceptions)} in this group:"
            yield from _chain(each, seen)
    if error.__cause__ is not None:
        yield "caused by:"
        yield from _chain(error.__cause__, seen)
    elif error.__context__ is not None and not error.__suppress_context__:
        yield "while handling:"
        yield from _chain(error.__context__, seen)
