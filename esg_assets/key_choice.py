"""From key settings to what serves them: a key file, or a key in AWS KMS. Beside `esg_assets.composition`.

Nothing is asked of a KMS before the key is used. Adapters are imported when they are built, and those
of KMS only where a key is there.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from esg_assets.core.errors import SettingsWrong
from esg_assets.core.ports import ObjectStore, RecipientKey
from esg_assets.core.record_ports import OpeningEnvelope
from esg_assets.settings import KeyRef, Settings

if TYPE_CHECKING:
    from esg_assets.adapters.envelope import RecipientEnvelope, WorkingEnvelope, WorkingKey
    from esg_assets.adapters.keys import Ed25519Signer
    from esg_assets.adapters.keys.kms import KmsKey
    from esg_assets.adapters.keys.kms_signing import KmsSigner


def recipient_envelope(settings: Settings) -> "RecipientEnvelope":
    """What seals to ESG_REPORT_RECIPIENTS. Raises SettingsWrong, Refused."""
    from esg_assets.adapters.envelope import RecipientEnvelope  # noqa: PLC0415 - slow to import
    from esg_assets.adapters.keys import load_recipient  # noqa: PLC0415

    name = "ESG_REPORT_RECIPIENTS"
    chosen: list[RecipientKey | KmsKey] = [
        load_recipient(key.path) if key.path is not None else kms_key(key, name, settings.env)
        for key in settings.report_recipients
    ]
    return RecipientEnvelope(chosen)


def working_envelope(settings: Settings, store: ObjectStore) -> "WorkingEnvelope":
    """What seals working data with ESG_WORKING_KEY, and opens it with former keys too.

    Those are the files beside it (working.key.1 and so on) and ESG_FORMER_WORKING_KEYS.

    Args:
        settings: as loaded.
        store: the work store, where a KMS key's wrapped data keys are.

    Raises:
        SettingsWrong: a key is missing or not kept as it must be.
    """
    from esg_assets.adapters.envelope import (  # noqa: PLC0415 - slow to import
        FileWorkingKey,
        KmsWorkingKey,
        WorkingEnvelope,
    )
    from esg_assets.adapters.keys import former_key_files, load_working_key  # noqa: PLC0415

    def chosen(key: KeyRef, name: str) -> "WorkingKey":
        if key.path is not None:
            return FileWorkingKey(load_working_key(key.path))
        return KmsWorkingKey(kms_key(key, name, settings.env), store)

    current = _given("ESG_WORKING_KEY", settings.working_key)
    beside: Sequence[Path] = () if current.path is None else former_key_files(current.path)
    former = [chosen(key, "ESG_FORMER_WORKING_KEYS") for key in settings.former_working_keys]
    return WorkingEnvelope(
        chosen(current, "ESG_WORKING_KEY"), [*former, *(FileWorkingKey(load_working_key(p)) for p in beside)]
    )


def signer(settings: Settings) -> "Ed25519Signer | KmsSigner":
    """What signs with ESG_SIGNING_KEY. Raises SettingsWrong."""
    key = _given("ESG_SIGNING_KEY", settings.signing_key)
    if key.path is not None:
        from esg_assets.adapters.keys import Ed25519Signer  # noqa: PLC0415 - slow to import

        return Ed25519Signer.from_file(key.path)
    from esg_assets.adapters.keys.kms_signing import KmsSigner  # noqa: PLC0415 - slow to import

    return KmsSigner(kms_key(key, "ESG_SIGNING_KEY", settings.env))


def opener(key: KeyRef, environment: str, pass_phrase: Callable[[Path], bytes | None]) -> OpeningEnvelope:
    """What opens reports with a recipient's key, as `--key` names it.

    Args:
        key: a private key's file, or a KMS key.
        environment: ESG_ENV.
        pass_phrase: asks for that of a file, None if it has none.

    Raises:
        SettingsWrong: the file holds no such key, or the pass phrase is missing or wrong.
    """
    from esg_assets.adapters.envelope import KmsEnvelope, PrivateKeyEnvelope  # noqa: PLC0415 - slow to import
    from esg_assets.adapters.keys import load_private_key  # noqa: PLC0415

    if key.path is not None:
        return PrivateKeyEnvelope(load_private_key(key.path, pass_phrase(key.path)))
    return KmsEnvelope(kms_key(key, "--key", environment))


def verify_items(settings: Settings) -> list[str]:
    """The items of ESG_VERIFY_KEYS, by default the public key beside ESG_SIGNING_KEY.

    Raises:
        SettingsWrong: the signing key is in KMS, so that there is no file beside it.
    """
    from esg_assets.adapters.keys import public_file_beside  # noqa: PLC0415 - slow to import

    if settings.verify_keys:
        return [str(key) for key in settings.verify_keys]
    key = _given("ESG_SIGNING_KEY", settings.signing_key)
    if key.path is None:
        raise SettingsWrong(
            "ESG_VERIFY_KEYS is not set, and ESG_SIGNING_KEY is in KMS. `esg-assets keys public --out FILE` "
            "writes its public half; set ESG_VERIFY_KEYS to that file."
        )
    return [str(public_file_beside(key.path))]


def kms_key(key: KeyRef, setting: str, environment: str) -> "KmsKey":
    """The KMS key that a setting names. Raises SettingsWrong."""
    from esg_assets.adapters.keys.kms import KmsKey  # noqa: PLC0415 - slow to import

    assert key.arn is not None  # a KeyRef has the one or the other
    return KmsKey(key.arn, setting, environment)


def _given(setting: str, key: KeyRef | None) -> KeyRef:
    if key is None:
        raise SettingsWrong(f"{setting} is not set; `esg-assets keys generate DIR` makes the keys.")
    return key
