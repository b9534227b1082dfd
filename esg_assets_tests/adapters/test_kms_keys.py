"""Keys in AWS KMS, asked over HTTP: who seals, opens and signs, and what each refusal is told as."""

import functools
import hashlib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from esg_assets.adapters.envelope import (
    KmsEnvelope,
    PrivateKeyEnvelope,
    RecipientEnvelope,
)
from esg_assets.adapters.keys import PublicKeyring, fingerprint
from esg_assets.adapters.keys.kms import KmsKey
from esg_assets.adapters.keys.kms_signing import KmsSigner
from esg_assets.adapters.keys.verifying import is_verifying_key, verifies
from esg_assets.core.errors import AccessDenied, EsgError, KeysUnavailable, Refused, SettingsWrong, Tampered
from esg_assets.core.ports import Context
from esg_assets_tests.adapters.sealed_messages import CONTEXT, opened, recipient, sealed
from esg_assets_tests.kms_server import REGION, KmsServer

ACCOUNT = "000000000000"  # of the server; no message may tell it
NOBODY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/00000000-1111-2222-3333-444444444444"
ED25519, P256 = "ECC_NIST_EDWARDS25519", "ECC_NIST_P256"


pair = functools.cache(recipient)  # an RSA key takes its time


def key(arn: str, setting: str = "ESG_REPORT_RECIPIENTS", environment: str = "test") -> KmsKey:
    return KmsKey(arn, setting, environment)


def part(number: int, day: str = "2026-01-15") -> Context:
    return {**CONTEXT, "store": "ab" * 16, "partition": day, "part": f"{number:08d}"}


def test_files_and_kms_keys_open_the_same_report_each_alone(kms_server: KmsServer) -> None:
    one, two = key(kms_server.create_key()), key(kms_server.create_key())
    public, private = pair()
    envelope = RecipientEnvelope([public, one, two])
    assert envelope.recipients == (public.fingerprint, one.name, two.name)
    once = envelope.one_time()
    message = sealed(once, b"secret")
    assert kms_server.calls == {"GenerateDataKey": 1, "Encrypt": 1}
    for opener in (once, PrivateKeyEnvelope(private), KmsEnvelope(one), KmsEnvelope(two)):
        assert opened(opener, message) == b"secret"
    assert kms_server.calls == {"GenerateDataKey": 1, "Encrypt": 1, "Decrypt": 2}


def test_a_host_that_may_only_make_data_keys_seals(kms_server: KmsServer) -> None:
    envelope = RecipientEnvelope([key(kms_server.create_key()), pair()[0]]).one_time()
    with kms_server.refusing("AccessDeniedException", "Decrypt", "Encrypt", "DescribeKey", "GetPublicKey"):
        assert opened(envelope, sealed(envelope, b"secret")) == b"secret"
    assert kms_server.calls == {"GenerateDataKey": 1}


def test_the_name_of_a_kms_key_is_the_digest_of_its_arn(kms_server: KmsServer) -> None:
    arn = kms_server.create_key()
    assert key(arn).name == hashlib.sha256(arn.encode()).hexdigest()


def test_kms_is_told_the_context_and_opens_for_no_other(kms_server: KmsServer) -> None:
    one = key(kms_server.create_key())
    message = sealed(RecipientEnvelope([one]), b"secret")
    assert dict(CONTEXT).items() <= kms_server.contexts[0].items()
    with pytest.raises(Tampered):
        opened(KmsEnvelope(one), message, {**CONTEXT, "partition": "2026-01-16"})


def test_another_kms_key_opens_nothing(kms_server: KmsServer) -> None:
    message = sealed(RecipientEnvelope([key(kms_server.create_key())]), b"secret")
    with pytest.raises(Tampered):
        opened(KmsEnvelope(key(kms_server.create_key())), message)
    assert kms_server.calls["Decrypt"] == 0


def test_while_a_key_is_disabled_the_other_recipients_open_and_it_does_not(kms_server: KmsServer) -> None:
    one = key(kms_server.create_key())
    public, private = pair()
    message = sealed(RecipientEnvelope([one, public]), b"secret")
    kms_server.admin("disable_key", KeyId=one.arn)
    with pytest.raises(Refused, match=r"disabled\. Enable it"):
        opened(KmsEnvelope(one), message)
    with pytest.raises(Refused, match=r"kms:GenerateDataKey.*disabled"):
        sealed(RecipientEnvelope([one, public]), b"secret")
    assert opened(PrivateKeyEnvelope(private), message) == b"secret"
    kms_server.admin("enable_key", KeyId=one.arn)
    assert opened(KmsEnvelope(one), message) == b"secret"


REFUSALS: list[tuple[str, type[EsgError], str]] = [
    ("AccessDeniedException", AccessDenied, "access denied"),
    ("ExpiredTokenException", AccessDenied, "have not run out"),
    ("ThrottlingException", KeysUnavailable, "too many calls"),
    ("KMSInternalException", KeysUnavailable, "no answer"),
    ("KMSInvalidStateException", Refused, "waits for its deletion"),
    ("NotFoundException", SettingsWrong, "no such key"),
    ("SomethingNewException", Refused, "SomethingNewException"),
]


@pytest.mark.parametrize(("code", "error", "what"), REFUSALS)
@pytest.mark.parametrize("step", ["seal", "open", "sign"])
def test_each_refusal_names_setting_key_and_what_to_do(
    kms_server: KmsServer, code: str, error: type[EsgError], what: str, step: str
) -> None:
    one = key(kms_server.create_key())
    message = sealed(RecipientEnvelope([one]), b"secret")
    steps = {
        "seal": lambda: sealed(RecipientEnvelope([pair()[0], one]), b"secret"),
        "open": lambda: opened(KmsEnvelope(one), message),
        "sign": lambda: KmsSigner(one).sign(b"statement"),
    }
    with kms_server.refusing(code), pytest.raises(error) as told:
        steps[step]()
    assert type(told.value) is error
    assert what in str(told.value)
    assert "ESG_REPORT_RECIPIENTS" in str(told.value)
    assert one.arn.rpartition("/")[2] in str(told.value)
    for hidden in (ACCOUNT, "AKIA", "arn:aws"):
        assert hidden not in str(told.value)
    assert told.value.__cause__ is None


def test_a_refusal_of_the_past_is_not_blamed_for_what_fails_now(kms_server: KmsServer) -> None:
    one = key(kms_server.create_key())
    message = sealed(RecipientEnvelope([one]), b"secret")
    with kms_server.refusing("AccessDeniedException"), pytest.raises(AccessDenied):
        opened(KmsEnvelope(one), message)
    with pytest.raises(Tampered):
        opened(KmsEnvelope(one), message[:100])


def test_the_arn_of_another_region_is_no_key_there(kms_server: KmsServer) -> None:
    arn = kms_server.create_key()
    with pytest.raises(SettingsWrong, match=r"eu-west-1.*no such key in that region"):
        sealed(RecipientEnvelope([key(arn.replace(REGION, "eu-west-1"))]), b"secret")


def test_a_kms_that_is_not_there_is_unavailable(
    kms_server: KmsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", "http://127.0.0.1:9")
    with pytest.raises(KeysUnavailable, match="no answer"):
        sealed(RecipientEnvelope([key(NOBODY)]), b"secret")
    with pytest.raises(KeysUnavailable, match="no answer"):
        KmsSigner(key(NOBODY)).sign(b"statement")
    assert not kms_server.calls


def test_without_credentials_the_message_says_so(
    kms_server: KmsServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(SettingsWrong, match="no AWS credentials"):
        sealed(RecipientEnvelope([key(NOBODY)]), b"secret")
    assert not kms_server.calls


@pytest.mark.parametrize(
    ("environment", "endpoint"),
    [
        ("prod", "http://127.0.0.1:9"),
        ("test", "http://kms.example.com"),
        ("dev", "http://169.254.169.254"),
    ],
)
def test_a_plain_endpoint_is_refused_before_anything_is_sent(
    kms_server: KmsServer, monkeypatch: pytest.MonkeyPatch, environment: str, endpoint: str
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", endpoint)
    with pytest.raises(SettingsWrong, match="without TLS"):
        sealed(RecipientEnvelope([key(NOBODY, environment=environment)]), b"secret")
    assert not kms_server.calls


@pytest.mark.parametrize(
    "arn",
    [
        f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/reports",
        f"arn:aws:kms:{REGION}:12:key/abc",
        f"arn:aws:s3:{REGION}:{ACCOUNT}:key/abc",
        "",
    ],
)
def test_only_the_arn_of_a_key_itself_names_one(arn: str) -> None:
    with pytest.raises(SettingsWrong, match="ESG_WORKING_KEY names no key"):
        KmsKey(arn, "ESG_WORKING_KEY", "test")


@pytest.mark.parametrize("spec", [ED25519, P256])
def test_what_kms_signs_verifies_with_its_public_half(
    kms_server: KmsServer, tmp_path: Path, spec: str
) -> None:
    signer = KmsSigner(key(kms_server.create_key(spec)))
    statement = b"s" * 4096
    signature = signer.sign(statement)
    public = load_pem_public_key(signer.public_pem)
    assert is_verifying_key(public)
    assert signer.name == fingerprint(public)  # type: ignore[arg-type]  # is_verifying_key has said so
    assert verifies(public, statement, signature)  # type: ignore[arg-type]  # as above
    file = tmp_path / "signing.pub.pem"
    file.write_bytes(signer.public_pem)
    keyring = PublicKeyring.from_items([str(file)])
    assert keyring.objection(signer.name, "publish", 1, statement, signature) == ""
    assert keyring.objection(signer.name, "publish", 1, b"t" + statement[1:], signature)
    assert kms_server.calls == {"GetPublicKey": 1, "Sign": 1}


def test_a_statement_too_long_for_kms_is_refused_before_it_is_asked(kms_server: KmsServer) -> None:
    with pytest.raises(Refused, match="too long to sign"):
        KmsSigner(key(NOBODY)).sign(b"s" * 4097)
    assert not kms_server.calls


@pytest.mark.parametrize("spec", ["ECC_NIST_P384", "RSA_3072", "SYMMETRIC_DEFAULT"])
def test_a_key_of_another_kind_does_not_sign(kms_server: KmsServer, spec: str) -> None:
    signer = KmsSigner(key(kms_server.create_key(spec), "ESG_SIGNING_KEY"))
    with pytest.raises(SettingsWrong, match=r"ESG_SIGNING_KEY.*kind"):
        signer.sign(b"statement")


def test_a_signing_key_is_no_recipient(kms_server: KmsServer) -> None:
    with pytest.raises(SettingsWrong, match="another kind"):
        sealed(RecipientEnvelope([key(kms_server.create_key(P256))]), b"secret")
