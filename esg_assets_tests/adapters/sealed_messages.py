"""Messages for tests of envelopes: a recipient, sealing and opening in one step, copies with flipped bits."""

import io
import random
from collections.abc import Iterator

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from esg_assets.core.ports import Context, Envelope, RecipientKey, RecipientPrivateKey

CONTEXT = {"environment": "test", "kind": "ratings", "partition": "2026-01-15", "part": "00000001"}


def recipient() -> tuple[RecipientKey, RecipientPrivateKey]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=3072)
    spki, pem = serialization.PublicFormat.SubjectPublicKeyInfo, serialization.Encoding.PEM
    digest = hashes.Hash(hashes.SHA256())
    digest.update(key.public_key().public_bytes(serialization.Encoding.DER, spki))
    name = digest.finalize().hex()
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return RecipientKey(name, key.public_key().public_bytes(pem, spki)), RecipientPrivateKey(name, private)


def sealed(envelope: Envelope, plaintext: bytes, context: Context = CONTEXT) -> bytes:
    out = io.BytesIO()
    with envelope.seal(out, context) as sink:
        sink.write(plaintext)
    return out.getvalue()


def opened(envelope: Envelope, message: bytes, context: Context = CONTEXT) -> bytes:
    with envelope.open(io.BytesIO(message), context) as source:
        return source.read()


def changed(message: bytes, seed: int, count: int) -> Iterator[bytes]:
    """Copies of `message` with one bit flipped: every part of it has its share."""
    chance = random.Random(seed)
    places = [*range(80), *range(len(message) - 160, len(message))]  # header, last frame, footer
    places += [chance.randrange(len(message)) for _ in range(count)]
    for place in chance.sample(places, min(count, len(places))):
        copy = bytearray(message)
        copy[place] ^= 1 << chance.randrange(8)
        yield bytes(copy)
