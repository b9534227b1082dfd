"""The envelopes of what goes to recipients: who can open what they seal.

What the host itself reads again is in `esg_assets.adapters.envelope.working`.
"""

import contextlib
import secrets
from collections.abc import Sequence

from esg_assets.adapters.envelope.keyrings import (
    Keyring,
    aes_keyring,
    multi_keyring,
    rsa_keyring,
    working_key_name,
)
from esg_assets.adapters.envelope.messages import (
    MAX_WRAPPED_KEYS,
    RECIPIENT_SUITE,
    open_sealed,
    seal,
)
from esg_assets.core.errors import Refused
from esg_assets.core.ports import Context, Envelope, RecipientKey, RecipientPrivateKey, Sink, Source

MAX_RECIPIENTS = MAX_WRAPPED_KEYS - 1  # one is for the read-back


class RecipientEnvelope:
    """Seals to recipients' public keys; opens nothing.

    Args:
        recipients: one to seven public keys; each of their holders can open every message.

    Raises:
        Refused: none, too many, or one of them twice.
    """

    def __init__(self, recipients: Sequence[RecipientKey]) -> None:
        self.recipients = tuple(recipient.fingerprint for recipient in recipients)
        """Fingerprints of those who can open what this seals."""
        if not 1 <= len(set(self.recipients)) == len(self.recipients) <= MAX_RECIPIENTS:
            raise Refused(
                f"Sealing takes one to {MAX_RECIPIENTS} different recipients; here are "
                f"{len(self.recipients)}, {len(set(self.recipients))} of them different."
            )
        # A recipient whose key is in a KMS would be one more keyring here, and come first: it makes
        # the data key then.
        self._keyrings = [rsa_keyring(r.fingerprint, public=r.pem) for r in recipients]

    def seal(self, sink: Sink, context: Context) -> contextlib.AbstractContextManager[Sink]:
        """Plaintext written to the inner sink arrives sealed in `sink`; complete on a clean exit."""
        return seal(multi_keyring(self._keyrings), RECIPIENT_SUITE, sink, context)

    def open(self, source: Source, context: Context) -> contextlib.AbstractContextManager[Source]:
        """Always raises Refused: who seals to others cannot read it afterwards."""
        del source, context
        raise Refused("This was sealed to its recipients; opening it takes the private key of one of them.")

    def one_time(self) -> Envelope:
        """An envelope for one message and its read-back.

        What it seals, the recipients can open and this very object can: a throw-away key that is
        nowhere else is one more recipient. When the object is gone, only the recipients can.
        """
        return _OneTimeEnvelope(self._keyrings)


class _OneTimeEnvelope:
    """What RecipientEnvelope.one_time gives."""

    def __init__(self, keyrings: Sequence[Keyring]) -> None:
        own = secrets.token_bytes(32)
        self._own = aes_keyring(own, working_key_name(own))
        self._all = multi_keyring([self._own, *keyrings])

    def seal(self, sink: Sink, context: Context) -> contextlib.AbstractContextManager[Sink]:
        return seal(self._all, RECIPIENT_SUITE, sink, context)

    def open(self, source: Source, context: Context) -> contextlib.AbstractContextManager[Source]:
        return open_sealed(self._own, RECIPIENT_SUITE, source, context)


class PrivateKeyEnvelope:
    """Opens what was sealed to one recipient; seals nothing."""

    def __init__(self, private_key: RecipientPrivateKey) -> None:
        self._keyring = rsa_keyring(private_key.fingerprint, private=private_key.pem)

    def seal(self, sink: Sink, context: Context) -> contextlib.AbstractContextManager[Sink]:
        """Always raises Refused: sealing takes the public keys of all recipients."""
        del sink, context
        raise Refused("A recipient's private key only opens; sealing takes the recipients' public keys.")

    def open(self, source: Source, context: Context) -> contextlib.AbstractContextManager[Source]:
        """Plaintext of a sealed stream, in verified frames. Raises Tampered."""
        return open_sealed(self._keyring, RECIPIENT_SUITE, source, context)
