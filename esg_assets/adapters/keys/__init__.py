"""Keys in files: made (`generation`), loaded (`loading`), and used to sign and verify (`signing`).

Sealing with them is the business of `esg_assets.adapters.envelope`. Keys in a KMS are not here.
"""

from esg_assets.adapters.keys.generation import DEMO_PREFIX, generate, is_demo_key
from esg_assets.adapters.keys.loading import (
    fingerprint,
    load_private_key,
    load_recipient,
    load_signing_key,
    load_verify_key,
    load_working_key,
    public_file_beside,
)
from esg_assets.adapters.keys.signing import Ed25519Keyring, Ed25519Signer

__all__ = [
    "DEMO_PREFIX",
    "Ed25519Keyring",
    "Ed25519Signer",
    "fingerprint",
    "generate",
    "is_demo_key",
    "load_private_key",
    "load_recipient",
    "load_signing_key",
    "load_verify_key",
    "load_working_key",
    "public_file_beside",
]
