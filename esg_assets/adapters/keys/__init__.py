"""Keys in files: made (`generation`), loaded (`loading`), to sign (`signing`) and to verify (`keyring`).

Sealing with them is the business of `esg_assets.adapters.envelope`. Keys in a KMS are not here.
"""

from esg_assets.adapters.keys.generation import DEMO_PREFIX, generate, is_demo_key
from esg_assets.adapters.keys.keyring import PublicKeyring
from esg_assets.adapters.keys.loading import (
    load_private_key,
    load_recipient,
    load_signing_key,
    load_verify_key,
    load_working_key,
    public_file_beside,
)
from esg_assets.adapters.keys.signing import Ed25519Signer
from esg_assets.adapters.keys.verifying import fingerprint
from esg_assets.adapters.keys.working_keys import former_key_files, replace_working_key

__all__ = [
    "DEMO_PREFIX",
    "Ed25519Signer",
    "PublicKeyring",
    "fingerprint",
    "former_key_files",
    "generate",
    "is_demo_key",
    "load_private_key",
    "load_recipient",
    "load_signing_key",
    "load_verify_key",
    "load_working_key",
    "public_file_beside",
    "replace_working_key",
]
