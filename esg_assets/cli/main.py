"""`esg-assets`: which commands exist, exit statuses, and what an error looks like.

Exit status 0: done; 1: the job failed or a check stopped it; 2: wrong usage or settings; 130: interrupted.
Where logs go is `esg_assets.log_place`. The modules of commands import what is slow (Dagster, pyarrow,
cryptography) inside their functions, so that `--help` is quick.
"""

import contextlib
import importlib
import logging
import os
import sys
from collections.abc import Collection, Sequence
from typing import Annotated

import typer

from esg_assets import log_place
from esg_assets.adapters import logs
from esg_assets.cli.answers import Output
from esg_assets.cli.commands import Commands
from esg_assets.cli.wrong_usage import without_values
from esg_assets.core import exception_words
from esg_assets.core.errors import EsgError, SettingsWrong

ROOMS: tuple[str, ...] = (
    "esg_assets.cli.demo",
    "esg_assets.cli.runs",
    "esg_assets.cli.status",
    "esg_assets.cli.report_commands",
    "esg_assets.cli.reproduce",
    "esg_assets.cli.report_account",
    "esg_assets.cli.report_diff",
    "esg_assets.cli.lifecycle_commands",
    "esg_assets.cli.keys",
    "esg_assets.cli.public_key",
    "esg_assets.cli.alert_commands",
    "esg_assets.cli.simulate",
    "esg_assets.cli.site_commands",
    "esg_assets.cli.history_commands",
    "esg_assets.cli.metrics_commands",
    "esg_assets.cli.settings_command",
    "esg_assets.cli.doctor",
)
"""Modules of commands, in the order of `--help`; each has `register(commands: Commands) -> None`."""

OK, FAILED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130


def main() -> None:
    """The console script."""
    os.umask(0o077)  # Dagster and SQLite make files too, and would make them as open as they may be
    logs.install(_known_secrets)
    lines = logging.StreamHandler(sys.stderr)
    lines.setFormatter(logs.LineFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s", _known_secrets))
    logging.basicConfig(level=logging.WARNING, handlers=[lines])
    as_json = _flag("--json", sys.argv[1:])
    log_place.choose(log_place.of_command(sys.argv[1:], as_json=as_json))
    if as_json:
        _keep_standard_output_for_the_answer()
    sys.exit(run(sys.argv[1:]))


def _known_secrets() -> Collection[str]:
    """Asked at every log line. Settings are slow to import, and before they are, no secret is known."""
    settings = sys.modules.get("esg_assets.settings.known_secrets")
    return settings.known() if settings else ()


def run(arguments: Sequence[str]) -> int:
    """Run one command line; returns its exit status and never raises on purpose."""
    as_json = _flag("--json", arguments)
    out = Output(sys.stdout, sys.stderr, as_json=as_json)
    # What a library prints while we answer in JSON belongs to the logs.
    aside = contextlib.redirect_stdout(sys.stderr) if as_json else contextlib.nullcontext()
    with aside:
        try:
            return _status(build(out), arguments, out)
        except BrokenPipeError:
            # Whoever read our output has left; the interpreter must not try to flush it once more.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno() if sys.__stdout__ else 1)
            return FAILED
        except Exception as error:  # noqa: BLE001 - the last place where an error can be told decently
            return _told(error, out, show_traceback=_flag("--traceback", arguments))


def build(out: Output) -> typer.Typer:
    """The application with every command."""
    app = typer.Typer(
        name="esg-assets",
        help="The nightly ESG rating report of every active account: complete, sealed, on time.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich" if sys.stdout.isatty() else None,
    )
    app.callback()(_before_every_command)
    commands = Commands(app, out)
    for room in ROOMS:
        importlib.import_module(room).register(commands)
    return app


def _say_version(wanted: bool) -> None:
    if wanted:
        from esg_assets import __version__  # noqa: PLC0415 - beside its use

        typer.echo(f"esg-assets {__version__}")
        raise typer.Exit


_VERSION = typer.Option("--version", help="Show the version.", is_eager=True, callback=_say_version)


def _before_every_command(*, version: Annotated[bool, _VERSION] = False) -> None:
    """Typer wants a function to hang `--version` on; its callback has done everything."""


def _status(app: typer.Typer, arguments: Sequence[str], out: Output) -> int:
    try:
        status = typer.main.get_command(app).main(
            args=list(arguments), prog_name="esg-assets", standalone_mode=False
        )
    except typer.TyperException as error:  # wrong usage
        said = without_values(error, arguments)
        show = getattr(error, "show", None)
        if show is None or out.as_json:
            out.error(said, "Usage")
        else:
            show()
        return WRONG_USAGE
    if status == INTERRUPTED:  # typer makes this of KeyboardInterrupt, and says nothing
        out.error("Interrupted.", "Interrupted")
    return status if isinstance(status, int) else OK


def _told(error: Exception, out: Output, *, show_traceback: bool) -> int:
    if show_traceback:
        sys.stderr.write(f"{exception_words.told(error)}\n")
    if isinstance(error, SettingsWrong):
        out.error(str(error), type(error).__name__)
        return WRONG_USAGE
    if isinstance(error, EsgError):
        out.error(str(error), type(error).__name__)
        return FAILED
    # Its text is left out: nobody has seen to it that it holds no account and no secret.
    where = exception_words.places(error.__traceback__)[-1]
    out.error(
        f"Stopped by an unexpected {type(error).__name__} at {where}; the same command with --traceback shows"
        " the way there.",
        "Unexpected",
    )
    return FAILED


def _flag(flag: str, arguments: Sequence[str]) -> bool:
    """Whether `flag` is among the options: asked before parsing, because wrong usage is told too."""
    options = list(arguments)
    return flag in (options[: options.index("--")] if "--" in options else options)


def _keep_standard_output_for_the_answer() -> None:
    """Let everything that writes to file descriptor 1, child processes too, write to standard error."""
    sys.stdout.flush()
    sys.stdout = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
