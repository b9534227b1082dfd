"""What `esg-assets doctor` looks at in keys: files are loaded, and a KMS is asked for what a run asks it.

A call that a run makes proves more than one that describes the key, and needs no further permission.
What KMS makes for these calls is thrown away.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Literal

from esg_assets import key_choice
from esg_assets.adapters import keys
from esg_assets.core.errors import SettingsWrong
from esg_assets.settings import KeyRef, Settings

Found = tuple[Literal["ok", "wrong", "skipped"], str]
Check = Callable[[], Found]

_CONTEXT = {"purpose": "esg-assets doctor"}
_STATEMENT = b"esg-assets doctor: no entry of a chain"


def checks(settings: Settings) -> Iterator[Check]:
    """A check for each key; each raises what is wrong with it."""
    yield partial(_working, "ESG_WORKING_KEY", settings.working_key, settings)
    for former in settings.former_working_keys:
        yield partial(_working, "ESG_FORMER_WORKING_KEYS", former, settings)
    if beside := _beside(settings.working_key):
        yield partial(_formers_beside, beside)
    yield partial(_signing, settings)
    for recipient in settings.report_recipients:
        yield partial(_recipient, recipient, settings)
    yield partial(_signer_is_verified, settings)


def _working(name: str, key: KeyRef | None, settings: Settings) -> Found:
    if key is None:
        return "skipped", f"{name} is not set"
    if key.path is not None:
        keys.load_working_key(key.path)
        return "ok", f"{name}: {key}"
    kms, parameters = key_choice.kms_key(key, name, settings.env), {"EncryptionContext": _CONTEXT}
    made = kms.call(
        "generate_data_key", "for a data key (kms:GenerateDataKey)", KeySpec="AES_256", **parameters
    )
    blob = made["CiphertextBlob"]
    opened = kms.call("decrypt", "to open a data key (kms:Decrypt)", CiphertextBlob=blob, **parameters)
    if opened["Plaintext"] != made["Plaintext"]:
        raise kms.wrong("what it sealed, it opens as something else")
    return "ok", f"{name}: {key} seals and opens"


def _formers_beside(files: Sequence[KeyRef]) -> Found:
    for file in files:
        assert file.path is not None
        keys.load_working_key(file.path)
    return "ok", f"former working keys: {', '.join(map(str, files))}"


def _recipient(key: KeyRef, settings: Settings) -> Found:
    if key.path is not None:
        keys.load_recipient(key.path)
        return "ok", f"ESG_REPORT_RECIPIENTS: {key}"
    key_choice.kms_key(key, "ESG_REPORT_RECIPIENTS", settings.env).call(
        "generate_data_key",
        "for a data key (kms:GenerateDataKey)",
        KeySpec="AES_256",
        EncryptionContext=_CONTEXT,
    )
    return "ok", f"ESG_REPORT_RECIPIENTS: {key} seals"


def _signing(settings: Settings) -> Found:
    if settings.signing_key is None:
        return "skipped", "ESG_SIGNING_KEY is not set"
    signer = key_choice.signer(settings)
    if settings.signing_key.path is None:
        signer.sign(_STATEMENT)
        return "ok", f"ESG_SIGNING_KEY: {settings.signing_key} signs"
    return "ok", f"ESG_SIGNING_KEY: {settings.signing_key}"


def _signer_is_verified(settings: Settings) -> Found:
    if settings.signing_key is None and not settings.verify_keys:
        return "skipped", "ESG_VERIFY_KEYS is not set"
    items = key_choice.verify_items(settings)
    keyring = keys.PublicKeyring.from_items(items)
    if settings.signing_key is not None and key_choice.signer(settings).name not in keyring.names:
        raise SettingsWrong(
            "ESG_VERIFY_KEYS does not have the public key of ESG_SIGNING_KEY; add it, which `esg-assets keys "
            "public --out FILE` writes"
        )
    return "ok", f"ESG_VERIFY_KEYS: {', '.join(items)}"


def _beside(key: KeyRef | None) -> list[KeyRef]:
    if key is None or key.path is None:
        return []
    return [KeyRef(path=path) for path in keys.former_key_files(key.path)]
