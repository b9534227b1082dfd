"""`esg-assets simulate`: the account system and the ESG API on one port.

The options are those of the simulators' `Options`, one for each field, so that the two cannot differ.
"""

import inspect
import signal
from collections.abc import Callable
from dataclasses import fields
from typing import Annotated, Any

import typer

from esg_assets.cli.answers import Answer, Output
from esg_assets.cli.commands import Commands
from esg_assets.core.errors import EsgError
from esg_assets.simulators.options import Options


def register(commands: Commands) -> None:
    """Add the command."""
    commands.add("simulate", _with_options(simulate))


def simulate(out: Output, **given: Any) -> None:
    """Serve the two simulators on one port, with faults to order, until it is interrupted."""
    from esg_assets.simulators.csv_input import WrongInput  # noqa: PLC0415 - the server is slow to import
    from esg_assets.simulators.server import serve  # noqa: PLC0415

    def ready(url: str) -> None:
        out.answer(_running(url, options))

    try:
        options = Options(**given)
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        serve(options, ready)
    except (ValueError, WrongInput) as error:
        raise typer.BadParameter(str(error)) from None
    except OSError as error:
        raise EsgError(
            f"Starting the simulators on {given['host']}:{given['port']} failed ({error.strerror}). Give"
            " another --port, or 0 for a free one."
        ) from None
    except KeyboardInterrupt:
        return  # the way to end it


def _running(url: str, options: Options) -> Answer:
    rate = f"{options.rate:g} calls/s, burst {options.burst_in_force:g}" if options.rate else "no rate limit"
    secured = "oauth2" in options.schemes("auth")
    lines = [
        f"Account system and ESG API on {url} ({rate}; signed in to by {options.auth}). To use them, set",
        f"  ESG_ACCOUNTS_URL={url}",
        f"  ESG_API_URL={url}",
        *([f"  ESG_API_TOKEN_URL={url}/oauth2/token"] if secured else []),
    ]
    return Answer(
        {"url": url, "rate": options.rate, "burst": options.burst_in_force, "auth": options.auth}, lines
    )


def _with_options(function: Callable[..., None]) -> Callable[..., None]:
    """`function` with one keyword parameter for each field of Options in place of its `**given`."""

    def parameter(option: Any) -> inspect.Parameter:
        flag = "--" + option.name.replace("_", "-")
        kind = Annotated[option.type, typer.Option(flag, help=_sentence(option.metadata["help"]))]
        return inspect.Parameter(
            option.name, inspect.Parameter.KEYWORD_ONLY, default=option.default, annotation=kind
        )

    def command(**given: Any) -> None:
        function(**given)

    own = [p for p in inspect.signature(function).parameters.values() if p.name != "given"]
    command.__doc__ = function.__doc__
    command.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # read by inspect
        [
            *(p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own),
            *(parameter(option) for option in fields(Options)),
        ]
    )
    return command


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] + "."
