"""The envelopes of what goes to recipients: who can open what they seal.

What the host itself reads again is in `esg_assets.adapters.envelope.working`.
"""

import contextlib
import secrets
from collections.abc import Callable, Sequence

from esg_assets.adapters.envelope.headers import MAX_WRAPPED_KEYS
from esg_assets.adapters.envelope.keyrings import (
    Keyring,
    aes_keyring,
    kms_keyring,
    multi_keyring,
    rsa_keyring,
    working_key_name,
)
from esg_assets.adapters.envelope.kms_keys import KmsKey, failures_of
from esg_assets.adapters.envelope.messages import (
    RECIPIENT_SUITE,
    Failures,
    open_sealed,
    seal,
)
from esg_assets.core.errors import Refused
from esg_assets.core.ports import Context, Envelope, RecipientKey, RecipientPrivateKey, Sink, Source

MAX_RECIPIENTS = MAX_WRAPPED_KEYS - 1  # one is for the read-back


class RecipientEnvelope:
    """Seals to recipients' public keys and KMS keys, in any mix; opens nothing.

    Of a KMS key only kms:GenerateDataKey is asked (kms:Encrypt of every further one), never kms:Decrypt.

    Args:
        recipients: one to seven keys; each of their holders can open every message alone.

    Raises:
        Refused: none, too many, or one of them twice.
    """

    def __init__(self, recipients: Sequence[RecipientKey | KmsKey]) -> None:
        names = [r.fingerprint if isinstance(r, RecipientKey) else r.name for r in recipients]
        self.recipients = tuple(names)
        """Fingerprints of those who can open what this seals."""
        if not 1 <= len(set(names)) == len(names) <= MAX_RECIPIENTS:
            raise Refused(
                f"Sealing takes one to {MAX_RECIPIENTS} different recipients; here are "
                f"{len(names)}, {len(set(names))} of them different."
            )
        self._files = [
            rsa_keyring(r.fingerprint, public=r.pem) for r in recipients if isinstance(r, RecipientKey)
        ]
        self._kms = [r for r in recipients if not isinstance(r, RecipientKey)]

    def seal(self, sink: Sink, context: Context) -> contextlib.AbstractContextManager[Sink]:
        """Plaintext written to the inner sink arrives sealed in `sink`; complete on a clean exit."""
        return seal(self._wrapping(), RECIPIENT_SUITE, sink, context, failures_of(self._kms))

    def open(self, source: Source, context: Context) -> contextlib.AbstractContextManager[Source]:
        """Always raises Refused: who seals to others cannot read it afterwards."""
        del source, context
        raise Refused("This was sealed to its recipients; opening it takes the private key of one of them.")

    def one_time(self) -> Envelope:
        """An envelope for one message and its read-back.

        What it seals, the recipients can open and this very object can: a throw-away key that is
        nowhere else is one more recipient. When the object is gone, only the recipients can.
        """
        return _OneTimeEnvelope(self._wrapping, failures_of(self._kms))

    def _wrapping(self, *more: Keyring) -> Keyring:
        """Wraps for every recipient and for `more`; made when it is used, since KMS clients take a while."""
        # A KMS key comes first: the first one makes the data key, for which it needs no kms:Encrypt.
        kms = [kms_keyring(key.arn, key.client) for key in self._kms]
        return multi_keyring([*kms, *more, *self._files])


class _OneTimeEnvelope:
    """What RecipientEnvelope.one_time gives."""

    def __init__(self, wrapping: Callable[[Keyring], Keyring], asked: Failures) -> None:
        own = secrets.token_bytes(32)
        self._own = aes_keyring(own, working_key_name(own))
        self._wrapping = wrapping
        self._asked = asked

    def seal(self, sink: Sink, context: Context) -> contextlib.AbstractContextManager[Sink]:
        return seal(self._wrapping(self._own), RECIPIENT_SUITE, sink, context, self._asked)

    def open(self, source: Source, context: Context) -> contextlib.AbstractContextManager[Source]:
        return open_sealed(self._own, RECIPIENT_SUITE, source, context)


class PrivateKeyEnvelope:
    """Opens what was sealed to one recipient; seals nothing."""

    def __init__(self, private_key: RecipientPrivateKey) -> None:
        self.recipient = private_key.fingerprint
        """Whose key it is, as publications name their recipients."""
        self._keyring = rsa_keyring(private_key.fingerprint, private=private_key.pem)

    def seal(self, sink: Sink, context: Context) -> contextlib.AbstractContextManager[Sink]:
        """Always raises Refused: sealing takes the public keys of all recipients."""
        del sink, context
        raise Refused("A recipient's private key only opens; sealing takes the recipients' public keys.")

    def open(self, source: Source, context: Context) -> contextlib.AbstractContextManager[Source]:
        """Plaintext of a sealed stream, in verified frames. Raises Tampered."""
        return open_sealed(self._keyring, RECIPIENT_SUITE, source, context)


class KmsEnvelope:
    """Opens what was sealed to one recipient's KMS key; seals nothing."""

    def __init__(self, key: KmsKey) -> None:
        self.recipient = key.name
        """Whose key it is, as publications name their recipients."""
        self._key = key

    def seal(self, sink: Sink, context: Context) -> contextlib.AbstractContextManager[Sink]:
        """Always raises Refused: sealing takes the keys of all recipients."""
        del sink, context
        raise Refused("A recipient's key in KMS only opens; sealing takes the keys of all recipients.")

    def open(self, source: Source, context: Context) -> contextlib.AbstractContextManager[Source]:
        """Plaintext of a sealed stream, in verified frames.

        Raises:
            Tampered: as for every envelope; also when it was not sealed to this key.
            Refused, Unavailable: KMS said no, or nothing.
        """
        keyring = kms_keyring(self._key.arn, self._key.client)
        return open_sealed(keyring, RECIPIENT_SUITE, source, context, failures_of([self._key]))
