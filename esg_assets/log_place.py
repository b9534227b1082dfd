"""Where the log lines of this process go: which stream, and for whom.

By itself, so that the command line can say it before anything slow is imported. Lines are written by
`esg_assets.log_output`.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TextIO

WORKERS = frozenset({"run", "backfill"})
"""Commands whose log lines go to standard output, like those of Dagster's own processes."""

SHOWS = frozenset({"demo"})
"""Commands that only people start."""


@dataclass(frozen=True)
class Place:
    """Where lines go.

    Attributes:
        style: `json`, or `console` for people; None: for people if standard output is a terminal.
        stream: of the JSON lines. People are told on standard error, where no pipe swallows it.
    """

    style: Literal["json", "console"] | None = None
    stream: Literal["stdout", "stderr"] = "stdout"

    @property
    def for_people(self) -> bool:
        """Whether people read it."""
        return self.style == "console" or (self.style is None and is_terminal(sys.stdout))

    @property
    def file(self) -> TextIO | None:
        """What JSON lines are written to now."""
        return sys.stderr if self.stream == "stderr" else sys.stdout


_chosen: list[Place] = []


def choose(place: Place) -> None:
    """Say it for this process."""
    _chosen[:] = [place]


def chosen() -> Place:
    """What was said; by default JSON on standard output, or for people if that is a terminal."""
    return _chosen[0] if _chosen else Place()


def of_command(arguments: Sequence[str], *, as_json: bool) -> Place:
    """For a command line: what a person watches is for people; an answer in JSON stands alone."""
    command = next((argument for argument in arguments if not argument.startswith("-")), "")
    watched = is_terminal(sys.stdout) or is_terminal(sys.stderr)
    return Place(
        "console" if watched or command in SHOWS else "json",
        "stdout" if command in WORKERS and not as_json else "stderr",
    )


def is_terminal(stream: TextIO | None) -> bool:
    """Whether somebody may watch it."""
    return stream is not None and not stream.closed and stream.isatty()
