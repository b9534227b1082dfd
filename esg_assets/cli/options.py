"""Options that several commands have, and reading them."""

from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from esg_assets.core import reasons
from esg_assets.core.errors import SettingsWrong

DAY_FORMATS = ["%Y-%m-%d"]

Day = Annotated[
    datetime, typer.Option("--date", metavar="D", formats=DAY_FORMATS, help="The report's date, YYYY-MM-DD.")
]
OptionalDay = Annotated[
    datetime | None,
    typer.Option("--date", metavar="D", formats=DAY_FORMATS, help="One report's date, YYYY-MM-DD."),
]
OptionalVersion = Annotated[
    int | None,
    typer.Option("--version", metavar="N", help="Which version; the newest if not given."),
]
Key = Annotated[
    str, typer.Option("--key", metavar="PEM|aws-kms://ARN", help="A recipient's private key, to open with.")
]
OptionalKey = Annotated[
    str | None,
    typer.Option("--key", metavar="PEM|aws-kms://ARN", help="A recipient's private key, to open with."),
]
KeyringFile = Annotated[
    Path | None,
    typer.Option(
        "--keyring",
        metavar="FILE",
        help="Public keys to verify with in place of ESG_VERIFY_KEYS: one in PEM, or lines"
        " FILE[@FIRST[-LAST]], custodian:FILE[@FIRST[-LAST]] or revoked:FILE@SEQ.",
    ),
]


def _checked_reason(given: str) -> str:
    wrong = reasons.problem(given)
    if wrong:
        raise SettingsWrong(f"--reason is not taken: {wrong}.")
    return given


def reason_option(why: str) -> Any:
    """The option `--reason`: why somebody asks for what stands in the chain for ever."""
    return typer.Option("--reason", metavar="TEXT", help=f"{why}; {reasons.HELP}.", callback=_checked_reason)


def day_of(given: datetime | None) -> date | None:
    """The date of a `--date`, None if it was not given."""
    return None if given is None else given.date()
