"""What commands answer, and how it is printed: one JSON object, a table for people, or plain text.

Nothing else in this package writes to standard output.
"""

import json
from collections.abc import Mapping, Sequence
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
        return "\n".join(
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in lines
        )


@dataclass(frozen=True)
class Answer:
    """The outcome of a command.

    Attributes:
        data: what `--json` prints; plain values only.
        shown: what people see, in order.
        status: exit status: 0 done, 1 the job failed or a check stopped it, 2 wrong usage or settings.
    """

    data: Mapping[str, object]
    shown: Sequence[str | Rows] = field(default_factory=tuple)
    status: int = 0


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

    def answer(self, answer: Answer) -> None:
        """Print `answer`. A long-running command calls this itself, once, and returns None."""
        if self.as_json:
            self._write(json.dumps(answer.data, ensure_ascii=False))
            return
        for part in answer.shown:
            if self._stdout.isatty():
                self._show(part)
            else:
                self._write(part if isinstance(part, str) else part.plain())

    def error(self, text: str, kind: str) -> None:
        """Print an error: to people on standard error, as JSON on standard output."""
        if self.as_json:
            self._write(json.dumps({"error": text, "kind": kind}, ensure_ascii=False))
        else:
            self._stderr.write(f"{text}\n")
            self._stderr.flush()

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
