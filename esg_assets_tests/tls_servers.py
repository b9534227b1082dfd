"""TLS as good and bad servers and clients have it: certificates, contexts and PEM files for tests.

The servers themselves are raw_server.py's and others'; nothing here is asserted.
"""

import datetime as dt
import ipaddress
import ssl
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "127.0.0.1"
CA = trustme.CA()
"""The firm's own authority."""

OTHER_CA = trustme.CA()
PAST = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


def server_context(cert: trustme.LeafCert | None = None, wants: trustme.CA | None = None) -> ssl.SSLContext:
    """A server's context; with `wants`, clients must show a certificate of that authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    (cert or CA.issue_cert(HOST)).configure_cert(context)
    if wants is not None:
        wants.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _tls_1_1() -> ssl.SSLContext:
    context = server_context()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that it is deprecated is the point
        context.minimum_version = ssl.TLSVersion.TLSv1_1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


def _self_signed() -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = dt.datetime.now(dt.UTC)
    cert = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ) + cert.public_bytes(serialization.Encoding.PEM)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with trustme.Blob(pem).tempfile() as file:
        context.load_cert_chain(file)
    return context


BAD_SERVERS: Mapping[str, Callable[[], ssl.SSLContext]] = {
    "another authority": lambda: server_context(OTHER_CA.issue_cert(HOST)),
    "self-signed": _self_signed,
    "another name": lambda: server_context(CA.issue_cert("example.org")),
    "the name as common name only": lambda: server_context(CA.issue_cert("example.org", common_name=HOST)),
    "expired": lambda: server_context(CA.issue_cert(HOST, not_after=PAST)),
    "TLS 1.1": _tls_1_1,
    "wants a client certificate": lambda: server_context(wants=CA),
}
"""What a client that trusts CA must refuse, or is refused by."""


def pem_file(path: Path, *blobs: trustme.Blob) -> Path:
    """Write PEM blobs one after the other."""
    path.write_bytes(b"".join(blob.bytes() for blob in blobs))
    return path


def client_files(folder: Path, cert: trustme.LeafCert) -> tuple[Path, Path]:
    """A client's certificate and its key as two files."""
    return (
        pem_file(folder / "client.pem", *cert.cert_chain_pems),
        pem_file(folder / "client.key", cert.private_key_pem),
    )
