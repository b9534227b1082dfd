"""`esg-assets keys`: make key files."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from esg_assets.cli.answers import Answer
from esg_assets.cli.commands import Commands


class Role(StrEnum):
    """Whose keys to make."""

    HOST = "host"
    RECIPIENT = "recipient"
    CUSTODIAN = "custodian"


_NEXT = {
    Role.HOST: "Set ESG_WORKING_KEY and ESG_SIGNING_KEY to them; give {public} to whoever verifies.",
    Role.RECIPIENT: "Move {private} to where the recipient reads reports, off the host; only {public} goes"
    " into ESG_REPORT_RECIPIENTS.",
    Role.CUSTODIAN: "Keep {private} off the host and off the network: it signs re-seals and nothing else, and"
    " opens nothing. custodian:{public} goes into ESG_VERIFY_KEYS.",
}


def register(commands: Commands) -> None:
    """Add the commands."""
    commands.add("keys generate", generate)


def generate(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to; made (0700) if it is not there.")],
    only: Annotated[
        Role | None, typer.Option(help="Whose keys; without it the host's and a recipient's.")
    ] = None,
) -> Answer:
    """Make keys. host: working key, signing pair; recipient: RSA pair; custodian: pair to sign re-seals."""
    from esg_assets.adapters import keys  # noqa: PLC0415 - cryptography is slow to import

    files = keys.generate(folder, None if only is None else only.value)
    shown = ["Made " + ", ".join(str(file) for file in files) + "."]
    for role in (only,) if only is not None else (Role.HOST, Role.RECIPIENT):
        stem = "signing" if role is Role.HOST else role.value
        shown.append(_NEXT[role].format(private=folder / f"{stem}.pem", public=folder / f"{stem}.pub.pem"))
    return Answer({"files": [str(file) for file in files]}, shown)
