"""What commands about published reports share: the keys to verify with, and the key to open with.

The options themselves are in `esg_assets.cli.options`.
"""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from esg_assets.core.errors import SettingsWrong

if TYPE_CHECKING:
    from esg_assets.core.record_ports import OpeningEnvelope
    from esg_assets.settings import Settings, VerifyKey


def verifying_settings(command: str, keyring: Path | None = None, *, verifying: bool = True) -> "Settings":
    """Settings of a command that reads the records, with public keys to verify the chain with.

    Args:
        command: as it is typed.
        keyring: `--keyring`: its keys are taken in place of ESG_VERIFY_KEYS.
        verifying: whether it verifies at all.

    Raises:
        SettingsWrong: there is no such key, or the keyring cannot be read.
    """
    from esg_assets.settings import load_settings  # noqa: PLC0415 - pydantic is slow to import

    settings = load_settings(command)
    if keyring is not None:
        settings = settings.model_copy(update={"verify_keys": tuple(keys_in(keyring))})
    elif verifying and not settings.verify_keys and settings.signing_key is None:
        raise SettingsWrong(
            f"Preparing `{command}`: there is no public key to verify with. Set ESG_VERIFY_KEYS (or on the"
            " host ESG_SIGNING_KEY); commands that open a report, and `report verify`, take --keyring FILE as"
            " well."
        )
    return settings


def keys_in(keyring: Path) -> list["VerifyKey"]:
    """The public keys of a keyring file; names in it are relative to its folder."""
    from esg_assets.settings import VerifyKey, parse_verify_key  # noqa: PLC0415 - slow to import

    try:
        text = keyring.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise SettingsWrong(f"--keyring {keyring}: wanted is a readable text file.") from None
    if text.lstrip().startswith("-----BEGIN"):
        return [VerifyKey(keyring)]
    keys = []
    for number, line in enumerate(text.splitlines(), start=1):
        item = line.strip()
        if not item or item.startswith("#"):
            continue
        try:
            key = parse_verify_key(item)
        except ValueError as error:
            raise SettingsWrong(f"--keyring {keyring}, line {number}: wanted is {error}.") from None
        keys.append(replace(key, path=keyring.parent / key.path))
    if not keys:
        raise SettingsWrong(f"--keyring {keyring} names no key.")
    return keys


def opener_of(key: str) -> "OpeningEnvelope":
    """What opens with a recipient's key; asks for the pass phrase of a file that has one."""
    from esg_assets import key_choice  # noqa: PLC0415 - slow to import
    from esg_assets.settings import load_settings, parse_key  # noqa: PLC0415

    try:
        chosen = parse_key(key)
    except ValueError as error:
        raise SettingsWrong(f"--key: wanted is {error}.") from None
    if chosen.path is not None and chosen.path.name.endswith(".pub.pem"):
        raise SettingsWrong(
            f"--key {chosen.path} names a public key, which reports are sealed to; they open with its "
            "private half, whose file name lacks the `.pub`."
        )
    return key_choice.opener(chosen, load_settings("report decrypt").env, _pass_phrase)


def _pass_phrase(path: Path) -> bytes | None:
    """Typed by who sits there, for a file that is encrypted; None where nobody does."""
    try:
        encrypted = b"ENCRYPTED" in path.read_bytes()
    except OSError:
        return None  # whoever loads the key says what is wrong with the file
    if not encrypted or not sys.stdin.isatty():
        return None
    return str(typer.prompt(f"Pass phrase of {path}", hide_input=True, err=True)).encode()
