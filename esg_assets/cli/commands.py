"""How a function becomes a command: `--json` and `--traceback` on each, groups by the first word.

A command is a function whose parameters are its arguments and options (typer's `Annotated` style), whose
docstring is its help, and which returns an Answer. It raises `core.errors` and never prints; one
that runs for long may have a parameter of type Output, to answer before it ends.
"""

import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

from esg_assets.cli.answers import Answer, Output

_GROUPS = {
    "report": "Published reports: list, open, verify.",
    "metrics": "Metrics for Prometheus.",
    "alerts": "Alerts: detect and deliver, prove the channels, hold a drill.",
    "history": "The history database: forget what is old.",
    "site": "The readers' pages: make, show.",
    "keys": "Keys of the host, of recipients and of custodians.",
}
EVERYWHERE = ("--json", "--traceback", "--help")
"""Options that every command has."""

_JSON = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
_TRACEBACK = Annotated[bool, typer.Option("--traceback", help="Show where in the program an error arose.")]


class Commands:
    """The commands that exist, by name.

    Args:
        app: the typer application they are added to.
        out: prints their answers.
    """

    def __init__(self, app: typer.Typer, out: Output) -> None:
        self._app, self._out = app, out
        self._groups: dict[str, typer.Typer] = {}

    def add(self, name: str, function: Callable[..., Answer | None]) -> None:
        """Make `function` the command `name`, such as "run" or "keys generate"."""
        group, _, rest = name.rpartition(" ")
        self._group(group).command(rest)(self._wrapped(function))

    def _group(self, name: str) -> typer.Typer:
        if not name:
            return self._app
        if name not in self._groups:
            self._groups[name] = typer.Typer(no_args_is_help=True, add_completion=False)
            self._app.add_typer(self._groups[name], name=name, help=_GROUPS[name])
        return self._groups[name]

    def _wrapped(self, function: Callable[..., Answer | None]) -> Callable[..., int]:
        parameters = inspect.signature(function).parameters
        printers = [name for name, parameter in parameters.items() if parameter.annotation is Output]

        # Typer hands the returned status on to `main`, which sees both flags among the arguments, so
        # that they work for wrong usage too.
        def command(**given: Any) -> int:
            del given["as_json"], given["show_traceback"]
            answer = function(**given, **dict.fromkeys(printers, self._out))
            if answer is None:
                return 0
            self._out.answer(answer)
            return answer.status

        own = [parameter for name, parameter in parameters.items() if name not in printers]
        flags = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=False, annotation=kind)
            for name, kind in (("as_json", _JSON), ("show_traceback", _TRACEBACK))
        ]
        command.__doc__ = function.__doc__
        command.__signature__ = inspect.Signature([*own, *flags])  # type: ignore[attr-defined]  # read by inspect
        return command
