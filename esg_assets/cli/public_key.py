"""`esg-assets keys public`: the public half of the signing key, for whoever verifies."""

import os
from pathlib import Path
from typing import Annotated

import typer

from esg_assets.cli.answers import Answer
from esg_assets.cli.commands import Commands
from esg_assets.core.errors import Refused


def register(commands: Commands) -> None:
    """Add the command."""
    commands.add("keys public", public)


def public(
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="A new file (0644) for the key, in PEM.")
    ],
) -> Answer:
    """Write the public half of ESG_SIGNING_KEY, which ESG_VERIFY_KEYS names; a KMS is asked for it."""
    from esg_assets import key_choice  # noqa: PLC0415 - slow to import
    from esg_assets.adapters.keys.key_files import Kept, write_key_file  # noqa: PLC0415
    from esg_assets.settings import load_settings  # noqa: PLC0415

    signer = key_choice.signer(load_settings("keys public"))
    if os.path.lexists(out):
        raise Refused(f"Writing the public key: {out} is there already. Give --out a new name.")
    write_key_file(out, signer.public_pem, Kept.PUBLIC)
    shown = f"{out}: the public key with the fingerprint {signer.name}. Name it in ESG_VERIFY_KEYS."
    return Answer({"file": str(out), "fingerprint": signer.name}, [shown])
