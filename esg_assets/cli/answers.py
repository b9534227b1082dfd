"""What commands answer, and how it is printed: one JSON object, a table for people, or plain text.

Nothing else in this package writes to standard output.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TextIO


@dataclass(frozen=True)
class Rows:
    """A table for people.

    Attributes:
        header: its column titles.
        rows: one text for each column.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[str]]

    def plain(self) -> str:
        """The table as aligned text, for files and pipes."""
        lines = [list(self.header), *(list(row) for row in self.rows)]
        widths = [max(len(line[column]) for line in lines) for column in range(len(self.header))]
        return "\n".join(_aligned(line, widths) for line in lines)


@dataclass(frozen=True)
class Stream:
    """A table of any length, printed row by row; nobody holds all of it.

    Attributes:
        name: the list's key in what `--json` prints.
        header: column titles.
        widths: of the columns, in characters.
        rows: each as an object for `--json` and as texts for people; taken once.
    """

    name: str
    header: Sequence[str]
    widths: Sequence[int]
    rows: Iterable[tuple[Mapping[str, object], Sequence[str]]]


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


@dataclass(frozen=True)
class Answer:
    """The outcome of a command.

    Attributes:
        data: what `--json` prints; plain values only.
        shown: what people see, in order.
        status: exit status: 0 done, 1 the job failed or a check stopped it, 2 wrong usage or settings.
        stream: what comes after `data` and `shown`, row by row.
    """

    data: Mapping[str, object]
    shown: Sequence[str | Rows] = field(default_factory=tuple)
    status: int = 0
    stream: Stream | None = None


class Output:
    """Prints answers and errors; the only one to write to standard output.

    Args:
        stdout: for answers; with `as_json` one JSON object and nothing else.
        stderr: for errors to people, and logs.
        as_json: whether `--json` was given.
    """

    def __init__(self, stdout: TextIO, stderr: TextIO, *, as_json: bool) -> None:
        self.as_json = as_json
        self._stdout, self._stderr = stdout, stderr
        self._begun = False

    def answer(self, answer: Answer) -> None:
        """Print `answer`. A long-running command calls this itself, once, and returns None."""
        if self.as_json:
            if answer.stream is None:
                self._write(_json(answer.data))
            else:
                self._json_stream(answer.data, answer.stream)
            return
        for part in answer.shown:
            if self._stdout.isatty():
                self._show(part)
            else:
                self._write(part if isinstance(part, str) else part.plain())
        if answer.stream is not None:
            self._plain_stream(answer.stream)

    def error(self, text: str, kind: str) -> None:
        """Print an error: to people on standard error, as JSON on standard output.

        What breaks off in the midst of an object on standard output is told on standard error too: two
        objects there would be none.
        """
        if self.as_json and not self._begun:
            self._write(_json({"error": text, "kind": kind}))
        else:
            self._stderr.write(f"{text}\n")
            self._stderr.flush()

    def _json_stream(self, data: Mapping[str, object], stream: Stream) -> None:
        self._begun = True
        self._stdout.write(f"{_json(data).removesuffix('}')}, {_json(stream.name)}: [")
        separator = "\n"
        for found, _ in stream.rows:
            self._stdout.write(separator + _json(found))
            separator = ",\n"
        self._write("\n]}")

    def _plain_stream(self, stream: Stream) -> None:
        empty = True
        for _, cells in stream.rows:
            if empty:
                self._stdout.write(f"{_aligned(stream.header, stream.widths)}\n")
                empty = False
            self._stdout.write(f"{_aligned(cells, stream.widths)}\n")
        self._stdout.flush()

    def _write(self, text: str) -> None:
        self._stdout.write(f"{text}\n")
        self._stdout.flush()

    def _show(self, part: str | Rows) -> None:
        from rich.console import Console  # noqa: PLC0415 - only a terminal needs it
        from rich.table import Table  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        console = Console(file=self._stdout)
        if isinstance(part, str):
            console.print(Text(part), soft_wrap=True)
            return
        table = Table(*part.header, header_style="bold")
        for row in part.rows:
            table.add_row(*(Text(cell, overflow="fold") for cell in row))
        console.print(table)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
