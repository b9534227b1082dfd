"""AWS Encryption SDK messages, sealed and opened as streams (port Envelope).

A documented format that other tools open. Working data is sealed with a symmetric key and no
signature; what goes to recipients carries the library's signature of the message too. Where the
keys come from is the business of `esg_assets.adapters.keys`; where the bytes go, of a store.

Importing this takes 0.4 s and more (the library brings boto3): import it where a run is built.
"""

from esg_assets.adapters.envelope.data_keys import KmsWorkingKey
from esg_assets.adapters.envelope.envelopes import (
    MAX_RECIPIENTS,
    KmsEnvelope,
    PrivateKeyEnvelope,
    RecipientEnvelope,
)
from esg_assets.adapters.envelope.keyrings import NAMESPACE, working_key_name
from esg_assets.adapters.envelope.messages import FRAME_BYTES
from esg_assets.adapters.envelope.working import FileWorkingKey, WorkingEnvelope, WorkingKey

__all__ = [
    "FRAME_BYTES",
    "MAX_RECIPIENTS",
    "NAMESPACE",
    "FileWorkingKey",
    "KmsEnvelope",
    "KmsWorkingKey",
    "PrivateKeyEnvelope",
    "RecipientEnvelope",
    "WorkingEnvelope",
    "WorkingKey",
    "working_key_name",
]
