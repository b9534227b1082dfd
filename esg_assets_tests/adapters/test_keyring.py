"""Who may have signed what: validity by sequence, custodians, revocation, and two algorithms."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from esg_assets.adapters.keys import Ed25519Signer, PublicKeyring, fingerprint, generate, load_verify_key
from esg_assets.core import key_rules
from esg_assets.core.chain_bodies import Kind
from esg_assets.core.errors import SettingsWrong
from esg_assets.settings import parse_verify_key

TEXT = b"statement"
NOT_VALID = "the entry is signed by a key that is not valid at this sequence"
CUSTODIAN = "the entry is signed by a custodian's key, which may sign reseal entries alone"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    generate(folder, "host")
    generate(folder, "custodian")
    return folder


@pytest.fixture
def signer(made: Path) -> Ed25519Signer:
    return Ed25519Signer.from_file(made / "signing.pem")


def verdicts(
    keyring: PublicKeyring, signer: Ed25519Signer, upto: int, kind: Kind = Kind.PUBLISH
) -> list[str]:
    """What the keyring says of the signer's entries, by sequence from 0 on."""
    signature = signer.sign(TEXT)
    return [keyring.objection(signer.name, kind, n, TEXT, signature) for n in range(upto)]


def test_a_key_is_valid_from_its_first_to_its_last_sequence(made: Path, signer: Ed25519Signer) -> None:
    keyring = PublicKeyring.from_items([f"{made / 'signing.pub.pem'}@5-9"])
    assert verdicts(keyring, signer, 12) == [NOT_VALID] * 5 + [""] * 5 + [NOT_VALID] * 2


def test_ranges_of_one_key_add_up(made: Path, signer: Ed25519Signer) -> None:
    file = made / "signing.pub.pem"
    found = verdicts(PublicKeyring.from_items([f" {file}@2-3 ", f"{file}@7"]), signer, 10)
    assert [n for n, what in enumerate(found) if not what] == [2, 3, 7, 8, 9]


def test_a_signature_counts_for_its_key_and_its_statement_only(made: Path, signer: Ed25519Signer) -> None:
    keyring = PublicKeyring.from_items([str(made / "signing.pub.pem")])
    stranger = Ed25519Signer(ed25519.Ed25519PrivateKey.generate())
    signature = signer.sign(TEXT)

    def said(name: str, statement: bytes, signature: bytes) -> str:
        return keyring.objection(name, Kind.PUBLISH, 5, statement, signature)

    assert said(signer.name, TEXT, signature) == ""
    wrong = [signature[:-1] + bytes([signature[-1] ^ 1]), b"", stranger.sign(TEXT), signature + b"\0"]
    for other in wrong:
        assert said(signer.name, TEXT, other) == key_rules.WRONG_SIGNATURE
    assert said(signer.name, b"Statement", signature) == key_rules.WRONG_SIGNATURE
    assert said(stranger.name, TEXT, stranger.sign(TEXT)) == key_rules.UNKNOWN_KEY


def test_a_revoked_key_is_refused_from_its_sequence_on_whatever_else_is_said(
    made: Path, signer: Ed25519Signer
) -> None:
    file = made / "signing.pub.pem"
    revoked = "the entry is signed by a key that was revoked from entry 4 on"
    for others in ([str(file)], [f"{file}@1-2", f"{file}@3"], [f"custodian:{file}", str(file)]):
        found = verdicts(PublicKeyring.from_items([*others, f"revoked:{file}@4"]), signer, 7)
        assert found[1:] == ["", "", "", revoked, revoked, revoked]
    twice = PublicKeyring.from_items([str(file), f"revoked:{file}@9", f"revoked:{file}@4"])
    assert verdicts(twice, signer, 5)[4] == revoked


def test_revoking_a_key_does_not_make_it_trusted(made: Path, signer: Ed25519Signer) -> None:
    items = [str(made / "custodian.pub.pem"), f"revoked:{made / 'signing.pub.pem'}@4"]
    keyring = PublicKeyring.from_items(items)
    assert verdicts(keyring, signer, 4) == [NOT_VALID] * 4
    assert signer.name not in keyring.names
    with pytest.raises(SettingsWrong, match="no key to verify"):
        PublicKeyring.from_items(items[1:])


def test_a_custodians_key_signs_reseal_entries_alone(made: Path) -> None:
    custodian = Ed25519Signer.from_file(made / "custodian.pem")
    file = made / "custodian.pub.pem"
    keyring = PublicKeyring.from_items([f"custodian:{file}@3"])
    for kind in Kind:
        said = verdicts(keyring, custodian, 4, kind)
        assert said[2:] == [NOT_VALID, "" if kind is Kind.RESEAL else CUSTODIAN]
    both = PublicKeyring.from_items([f"custodian:{file}", f"{file}@2"])
    assert verdicts(both, custodian, 3) == [CUSTODIAN, CUSTODIAN, ""]


def test_a_key_on_p_256_verifies_what_it_signed(tmp_path: Path) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    file = tmp_path / "kms.pub.pem"
    spki = PublicFormat.SubjectPublicKeyInfo
    file.write_bytes(private.public_key().public_bytes(Encoding.PEM, spki))
    keyring, name = PublicKeyring.from_items([str(file)]), fingerprint(private.public_key())
    signature = private.sign(TEXT, ec.ECDSA(hashes.SHA256()))
    assert keyring.names == {name}
    assert keyring.objection(name, Kind.PUBLISH, 1, TEXT, signature) == ""
    other_hash = private.sign(TEXT, ec.ECDSA(hashes.SHA384()))
    for wrong in (other_hash, signature[:-1], signature + b"\0", b"", bytes(64)):
        assert keyring.objection(name, Kind.PUBLISH, 1, TEXT, wrong) == key_rules.WRONG_SIGNATURE


def test_other_curves_do_not_verify(tmp_path: Path) -> None:
    file = tmp_path / "other.pub.pem"
    for curve in (ec.SECP384R1(), ec.SECP256K1()):
        key = ec.generate_private_key(curve).public_key()
        file.write_bytes(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
        with pytest.raises(SettingsWrong, match="neither an Ed25519 key nor an ECDSA key on P-256"):
            load_verify_key(file)


@pytest.mark.parametrize("item", ["", "FILE@9-5", "FILE@5-", "FILE@x", "revoked:FILE", "revoked:FILE@3-4"])
def test_items_that_are_none_are_refused(made: Path, item: str) -> None:
    with pytest.raises(SettingsWrong):
        PublicKeyring.from_items(
            [str(made / "signing.pub.pem"), item.replace("FILE", str(made / "signing.pub.pem"))]
        )


def test_a_keyring_without_a_key_is_refused() -> None:
    with pytest.raises(SettingsWrong, match="no key to verify"):
        PublicKeyring.from_items([])


@pytest.mark.parametrize(
    "item", ["a.pem", "a.pem@5", "a.pem@5-9", "custodian:a.pem", "custodian:a.pem@7", "revoked:a.pem@0"]
)
def test_an_item_is_shown_as_it_was_set(item: str) -> None:
    assert str(parse_verify_key(item)) == item
