"""Sealing to recipients: each opens alone, nobody else does, and who seals to others cannot open it."""

import io

import pytest

from esg_assets.adapters.envelope import (
    MAX_RECIPIENTS,
    PrivateKeyEnvelope,
    RecipientEnvelope,
    WorkingEnvelope,
)
from esg_assets.core.errors import Refused, Tampered
from esg_assets.core.ports import RecipientKey, RecipientPrivateKey
from esg_assets_tests.adapters.sealed_messages import CONTEXT, opened, recipient, sealed


@pytest.fixture(scope="module")
def pairs() -> list[tuple[RecipientKey, RecipientPrivateKey]]:
    return [recipient(), recipient(), recipient()]


def test_each_recipient_opens_and_nobody_else(pairs: list[tuple[RecipientKey, RecipientPrivateKey]]) -> None:
    (first, own), (second, other), (_, stranger) = pairs
    envelope = RecipientEnvelope([first, second])
    assert envelope.recipients == (first.fingerprint, second.fingerprint)
    for message in (sealed(envelope, b"secret"), sealed(envelope.one_time(), b"secret")):
        assert opened(PrivateKeyEnvelope(own), message) == b"secret"
        assert opened(PrivateKeyEnvelope(other), message) == b"secret"
        with pytest.raises(Tampered):
            opened(PrivateKeyEnvelope(stranger), message)
        # The name alone opens nothing.
        with pytest.raises(Tampered):
            opened(PrivateKeyEnvelope(RecipientPrivateKey(own.fingerprint, stranger.pem)), message)


def test_a_one_time_envelope_opens_what_it_sealed_and_no_other_does(
    pairs: list[tuple[RecipientKey, RecipientPrivateKey]],
) -> None:
    recipients = RecipientEnvelope([pairs[0][0]])
    once, again = recipients.one_time(), recipients.one_time()
    message = sealed(once, b"secret")
    assert opened(once, message) == b"secret"
    with pytest.raises(Tampered):
        opened(again, message)
    with pytest.raises(Tampered):
        opened(once, sealed(recipients, b"secret"))


def test_who_seals_to_others_cannot_open_it(pairs: list[tuple[RecipientKey, RecipientPrivateKey]]) -> None:
    envelope = RecipientEnvelope([pairs[0][0]])
    with pytest.raises(Refused, match="private key"):
        opened(envelope, sealed(envelope, b"secret"))
    with pytest.raises(Refused, match="only opens"):
        sealed(PrivateKeyEnvelope(pairs[0][1]), b"secret")


def test_a_message_without_signature_is_no_report(
    pairs: list[tuple[RecipientKey, RecipientPrivateKey]],
) -> None:
    key = bytes(32)
    with pytest.raises(Tampered):
        opened(PrivateKeyEnvelope(pairs[0][1]), sealed(WorkingEnvelope(key), b"secret"))


def test_there_are_one_to_seven_different_recipients(
    pairs: list[tuple[RecipientKey, RecipientPrivateKey]],
) -> None:
    key = pairs[0][0]
    many = [RecipientKey(f"{number:064x}", key.pem) for number in range(MAX_RECIPIENTS + 1)]
    for recipients in ([], [key, key], many):
        with pytest.raises(Refused, match="recipients"):
            RecipientEnvelope(recipients)
    assert (
        opened(
            PrivateKeyEnvelope(RecipientPrivateKey(many[3].fingerprint, pairs[0][1].pem)),
            sealed(RecipientEnvelope(many[:-1]).one_time(), b"secret"),
        )
        == b"secret"
    )


def test_a_public_key_that_is_none_is_refused_before_anything_is_written() -> None:
    out = io.BytesIO()
    envelope = RecipientEnvelope([RecipientKey("0" * 64, b"no key")])
    with pytest.raises(Refused, match="refuses the keys"):
        envelope.seal(out, CONTEXT).__enter__()
    assert out.getvalue() == b""


def test_a_private_key_is_not_shown(pairs: list[tuple[RecipientKey, RecipientPrivateKey]]) -> None:
    assert "PRIVATE" not in repr(pairs[0][1])
