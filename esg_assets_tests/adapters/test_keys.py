"""Key files: how they are made, and what is refused when they are loaded."""

import base64
import hashlib
import io
import os
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_public_key,
)

from esg_assets.adapters.envelope import PrivateKeyEnvelope, RecipientEnvelope
from esg_assets.adapters.keys import (
    DEMO_PREFIX,
    Ed25519Signer,
    PublicKeyring,
    fingerprint,
    generate,
    is_demo_key,
    load_private_key,
    load_recipient,
    load_signing_key,
    load_verify_key,
    load_working_key,
    public_file_beside,
)
from esg_assets.core.errors import Refused, SettingsWrong


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All keys there are, made once: an RSA key takes its time."""
    folder = tmp_path_factory.mktemp("keys") / "new"
    generate(folder)
    generate(folder, "custodian")
    return folder


def copy(made: Path, name: str, folder: Path) -> Path:
    path = folder / name
    path.write_bytes((made / name).read_bytes())
    path.chmod(0o600)
    return path


def test_generate_makes_the_files_of_the_contract(made: Path) -> None:
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in made.iterdir()}
    assert modes == {
        "working.key": 0o600,
        "signing.pem": 0o600,
        "signing.pub.pem": 0o644,
        "recipient.pem": 0o600,
        "recipient.pub.pem": 0o644,
        "custodian.pem": 0o600,
        "custodian.pub.pem": 0o644,
    }
    assert stat.S_IMODE(made.stat().st_mode) == 0o700


def test_generate_heeds_no_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        paths = generate(tmp_path / "a" / "keys", "host", prefix=DEMO_PREFIX)
    finally:
        os.umask(before)
    assert [path.name for path in paths] == ["demo-working.key", "demo-signing.pem", "demo-signing.pub.pem"]
    assert [stat.S_IMODE(path.stat().st_mode) for path in paths] == [0o600, 0o600, 0o644]
    assert all(is_demo_key(path) for path in paths)
    assert stat.S_IMODE(paths[0].parent.stat().st_mode) == 0o700


def test_what_was_made_loads_and_works(made: Path) -> None:
    assert len(load_working_key(made / "working.key")) == 32
    assert not is_demo_key(made / "working.key")
    signer = Ed25519Signer.from_file(made / "signing.pem")
    keyring = PublicKeyring.from_items([str(public_file_beside(made / "signing.pem"))])
    signature = signer.sign(b"statement")
    assert keyring.objection(signer.name, "publish", 1, b"statement", signature) == ""
    assert keyring.names == {signer.name}
    recipient, private = load_recipient(made / "recipient.pub.pem"), load_private_key(made / "recipient.pem")
    assert recipient.fingerprint == private.fingerprint
    out = io.BytesIO()
    with RecipientEnvelope([recipient]).seal(out, {"a": "b"}) as sink:
        sink.write(b"secret")
    with PrivateKeyEnvelope(private).open(io.BytesIO(out.getvalue()), {"a": "b"}) as source:
        assert source.read() == b"secret"
    custodian = Ed25519Signer.from_file(made / "custodian.pem")
    assert fingerprint(load_verify_key(made / "custodian.pub.pem")) == custodian.name != signer.name


def test_a_fingerprint_is_the_digest_of_what_the_file_holds(made: Path) -> None:
    pem = (made / "recipient.pub.pem").read_text(encoding="ascii")
    der = base64.b64decode("".join(pem.splitlines()[1:-1]))
    assert load_recipient(made / "recipient.pub.pem").fingerprint == hashlib.sha256(der).hexdigest()
    key = load_verify_key(made / "signing.pub.pem")
    assert fingerprint(key) == Ed25519Signer.from_file(made / "signing.pem").name


def test_a_key_is_never_overwritten(made: Path, tmp_path: Path) -> None:
    before = {path.name: path.read_bytes() for path in made.iterdir()}
    for only in (None, "host", "recipient", "custodian"):
        with pytest.raises(Refused, match="never overwritten"):
            generate(made, only)
    assert {path.name: path.read_bytes() for path in made.iterdir()} == before
    (tmp_path / "signing.pub.pem").symlink_to(tmp_path / "nowhere")
    with pytest.raises(Refused, match="never overwritten"):
        generate(tmp_path, "host")
    assert [path.name for path in tmp_path.iterdir()] == ["signing.pub.pem"]  # all or none


def test_keys_are_not_put_where_others_may_write(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(Refused, match="only this user may write"):
        generate(tmp_path, "host")
    assert list(tmp_path.iterdir()) == []


LOADERS = {
    "working.key": load_working_key,
    "signing.pem": load_signing_key,
    "signing.pub.pem": load_verify_key,
    "recipient.pem": load_private_key,
    "recipient.pub.pem": load_recipient,
}
PRIVATE = ["working.key", "signing.pem", "recipient.pem"]
PUBLIC = ["signing.pub.pem", "recipient.pub.pem"]


@pytest.mark.parametrize("name", PRIVATE)
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o606, 0o610, 0o601])
def test_a_private_key_that_others_may_use_is_refused(
    made: Path, tmp_path: Path, name: str, mode: int
) -> None:
    path = copy(made, name, tmp_path)
    LOADERS[name](path)
    path.chmod(mode)
    with pytest.raises(SettingsWrong, match="chmod 600"):
        LOADERS[name](path)


@pytest.mark.parametrize("name", PUBLIC)
@pytest.mark.parametrize(("mode", "fine"), [(0o644, True), (0o444, True), (0o664, False), (0o646, False)])
def test_a_public_key_that_others_may_change_is_refused(
    made: Path, tmp_path: Path, name: str, mode: int, fine: bool
) -> None:
    path = copy(made, name, tmp_path)
    path.chmod(mode)
    if fine:
        LOADERS[name](path)
    else:
        with pytest.raises(SettingsWrong, match="chmod 644"):
            LOADERS[name](path)


def test_a_key_that_belongs_to_another_user_is_refused(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = copy(made, "working.key", tmp_path)
    found = list(path.stat())
    found[stat.ST_UID] = os.geteuid() + 1
    monkeypatch.setattr(os, "fstat", lambda descriptor: os.stat_result(found))
    with pytest.raises(SettingsWrong, match="another user"):
        load_working_key(path)


@pytest.mark.parametrize("name", LOADERS)
def test_what_is_no_plain_file_is_refused(made: Path, tmp_path: Path, name: str) -> None:
    link, folder, pipe = tmp_path / "link", tmp_path / "folder", tmp_path / "pipe"
    link.symlink_to(made / name)
    folder.mkdir()
    os.mkfifo(pipe, 0o600)
    for path, what in (
        (link, "symbolic link"),
        (folder, "regular"),
        (pipe, "regular"),
        (tmp_path / "missing", "cannot be read"),
    ):
        with pytest.raises(SettingsWrong, match=what):
            LOADERS[name](path)


@pytest.mark.parametrize("name", LOADERS)
def test_anything_before_or_after_a_key_is_refused(made: Path, tmp_path: Path, name: str) -> None:
    path, whole = copy(made, name, tmp_path), (made / name).read_bytes()
    for text in (
        whole + b"x",
        b"x" + whole,
        whole + whole,
        b"",
        whole[:-30],
        bytes(70_000),
        whole + b"# me\n",
    ):
        path.write_bytes(text)
        with pytest.raises(SettingsWrong):
            LOADERS[name](path)


@pytest.mark.parametrize("name", ["signing.pub.pem", "recipient.pub.pem", "signing.pem", "recipient.pem"])
def test_ends_of_lines_do_not_matter(made: Path, tmp_path: Path, name: str) -> None:
    path, whole = copy(made, name, tmp_path), (made / name).read_bytes()
    for text in (whole.rstrip(), whole.replace(b"\n", b"\r\n"), whole + b"\n\n"):
        path.write_bytes(text)
        assert LOADERS[name](path)


@pytest.mark.parametrize("name", LOADERS)
def test_no_message_shows_a_key(made: Path, tmp_path: Path, name: str) -> None:
    whole = (made / name).read_bytes()
    path = copy(made, name, tmp_path)
    path.write_bytes(whole + b"x")
    with pytest.raises(SettingsWrong) as caught:
        LOADERS[name](path)
    assert str(path) in str(caught.value)
    assert repr(whole[30:60])[2:-1] not in str(caught.value)
    assert caught.value.__cause__ is None


def test_every_key_is_refused_where_another_is_wanted(made: Path) -> None:
    for wanted, load in LOADERS.items():
        for name in LOADERS:
            if name != wanted:
                with pytest.raises(SettingsWrong):
                    load(made / name)


def test_a_private_key_among_the_recipients_is_refused_by_name(made: Path) -> None:
    with pytest.raises(SettingsWrong, match="must not be on this machine"):
        load_recipient(made / "recipient.pem")


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    path.chmod(0o600)
    return path


def test_a_recipients_key_is_rsa_of_3072_bits_or_more(tmp_path: Path) -> None:
    spki = PublicFormat.SubjectPublicKeyInfo
    small = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    curve = ec.generate_private_key(ec.SECP384R1()).public_key()
    path = tmp_path / "key.pub.pem"
    with pytest.raises(SettingsWrong, match="2,048 bits; at least 3,072"):
        load_recipient(written(path, small.public_bytes(Encoding.PEM, spki)))
    with pytest.raises(SettingsWrong, match="not an RSA key"):
        load_recipient(written(path, curve.public_bytes(Encoding.PEM, spki)))


def test_a_public_key_in_another_encoding_is_refused(made: Path, tmp_path: Path) -> None:
    key = load_pem_public_key((made / "recipient.pub.pem").read_bytes())
    pkcs1 = key.public_bytes(Encoding.PEM, PublicFormat.PKCS1)
    with pytest.raises(SettingsWrong, match="openssl pkey -pubout"):
        load_recipient(written(tmp_path / "key.pub.pem", pkcs1))


def test_a_private_key_may_be_encrypted(tmp_path: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=3072)
    protection = BestAvailableEncryption(b"pass phrase")
    path = written(tmp_path / "key.pem", key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection))
    assert load_private_key(path, b"pass phrase").fingerprint == fingerprint(key.public_key())
    with pytest.raises(SettingsWrong, match="passphrase"):
        load_private_key(path)
    with pytest.raises(SettingsWrong, match="passphrase is wrong"):
        load_private_key(path, b"other")
    plain = written(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(SettingsWrong, match="needs no passphrase"):
        load_private_key(plain, b"pass phrase")


def test_a_statement_is_never_longer_than_a_kms_signs() -> None:
    signer = Ed25519Signer(ed25519.Ed25519PrivateKey.generate())
    assert len(signer.sign(bytes(4096))) == 64
    with pytest.raises(Refused, match="4,097 bytes"):
        signer.sign(bytes(4097))
