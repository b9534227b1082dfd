"""Options that several commands have, and reading them."""

from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

DAY_FORMATS = ["%Y-%m-%d"]

Day = Annotated[
    datetime, typer.Option("--date", metavar="D", formats=DAY_FORMATS, help="The report's date, YYYY-MM-DD.")
]
OptionalDay = Annotated[
    datetime | None,
    typer.Option("--date", metavar="D", formats=DAY_FORMATS, help="One report's date, YYYY-MM-DD."),
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


def day_of(given: datetime | None) -> date | None:
    """The date of a `--date`, None if it was not given."""
    return None if given is None else given.date()
