"""Keys in the form in which the library takes them: keyrings."""

import hashlib
import hmac
from collections.abc import Sequence
from typing import Any

from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
from aws_cryptographic_material_providers.mpl.models import (
    AesWrappingAlg,
    CreateAwsKmsKeyringInput,
    CreateMultiKeyringInput,
    CreateRawAesKeyringInput,
    CreateRawRsaKeyringInput,
    PaddingScheme,
)

from esg_assets.core.errors import Refused

NAMESPACE = "esg_assets"
"""Key namespace ("provider id") of every key in a message; the key's name tells which one it is."""

Keyring = Any  # the library ships no types


def working_key_name(key: bytes) -> str:
    """Name of a symmetric key in messages: tells keys apart, and nothing about them."""
    return hmac.new(key, b"esg_assets key name", hashlib.sha256).hexdigest()[:32]


def _providers() -> Any:
    return AwsCryptographicMaterialProviders(config=MaterialProvidersConfig())


def aes_keyring(key: bytes, name: str) -> Keyring:
    """A symmetric key, of 32 bytes: wraps and unwraps. Raises Refused for another length."""
    if len(key) != 32:  # noqa: PLR2004 - AES-256
        raise Refused(f"A working key has 32 bytes; this one has {len(key)}.")
    return _providers().create_raw_aes_keyring(
        CreateRawAesKeyringInput(
            key_namespace=NAMESPACE,
            key_name=name,
            wrapping_key=key,
            wrapping_alg=AesWrappingAlg.ALG_AES256_GCM_IV12_TAG16,
        )
    )


def rsa_keyring(fingerprint: str, *, public: bytes | None = None, private: bytes | None = None) -> Keyring:
    """One half of an RSA key (PEM), OAEP with SHA-256: the public one wraps, the private one unwraps."""
    return _providers().create_raw_rsa_keyring(
        CreateRawRsaKeyringInput(
            key_namespace=NAMESPACE,
            key_name=fingerprint,
            padding_scheme=PaddingScheme.OAEP_SHA256_MGF1,
            public_key=public,
            private_key=private,
        )
    )


def kms_keyring(arn: str, client: Any) -> Keyring:
    """A symmetric key in AWS KMS, asked through a boto3 client: wraps and unwraps, as its policy allows."""
    return _providers().create_aws_kms_keyring(CreateAwsKmsKeyringInput(kms_key_id=arn, kms_client=client))


def multi_keyring(keyrings: Sequence[Keyring]) -> Keyring:
    """Wraps for each of `keyrings`; the first one makes the data key."""
    first, *others = keyrings
    return _providers().create_multi_keyring(CreateMultiKeyringInput(generator=first, child_keyrings=others))
