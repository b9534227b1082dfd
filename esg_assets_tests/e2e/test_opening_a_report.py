"""docs/opening_a_report.md, carried out as it stands: tools that are not ours open a report of ours."""

import base64
import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from esg_assets.core.chain import statement
from esg_assets.core.store_identity import StoreIdentity
from esg_assets.simulators.options import Options
from esg_assets.simulators.server import SimulatorServer
from esg_assets_tests.e2e import others_tools
from esg_assets_tests.e2e.installation import DAY, PROJECT, Done, Installation
from esg_assets_tests.kms_server import KmsServer, kms

DOCUMENT = PROJECT / "docs" / "opening_a_report.md"


def blocks(language: str) -> list[str]:
    """The document's blocks of code in that language."""
    text = DOCUMENT.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def command(beginning: str) -> str:
    """The document's one block of commands that begins so."""
    (found,) = [block for block in blocks("bash") if block.startswith(beginning)]
    return found


def programs() -> dict[str, str]:
    """The document's programs by the name that their first line says."""
    found = {}
    for block in blocks("js"):
        first, _, program = block.partition("\n")
        found[first.removeprefix("// ")] = program
    return found


@dataclass(frozen=True)
class Reader:
    """A folder as the document wants it: of somebody who has none of our software.

    Attributes:
        folder: with entry, sealed report and keys.
        report: what `esg-assets report decrypt` wrote.
        environment: of the shell in which the commands run.
    """

    folder: Path
    report: bytes
    environment: dict[str, str]

    def run(self, commands: str) -> Done:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", commands],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=others_tools.TIMEOUT,
            check=False,
        )
        return Done([commands], done.returncode, done.stdout, done.stderr)

    def beside(self, folder: Path) -> "Reader":
        """The same in another folder, to be spoiled."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return Reader(folder, self.report, self.environment)

    @property
    def out(self) -> Path:
        return self.folder / "report.csv"


def _reader(folder: Path, url: str, **settings: str) -> Reader:
    """Publish a report and give the reader what he needs."""
    house = Installation.new(folder / "home", url, ESG_ENV="test", **settings)
    keys = house.home / "keys"
    recipients = settings.get("ESG_REPORT_RECIPIENTS", "demo-recipient.pub.pem")
    house.settings["ESG_REPORT_RECIPIENTS"] = recipients.replace("demo-", f"{keys}/demo-")
    done = house.run("run", "--date", DAY)
    assert done.status == 0, done
    entry = house.home / "store" / "chain" / "0000000001"
    sealed = json.loads(entry.read_bytes().split(b"\n")[0])["body"]["object"]["key"]
    reading = folder / "reader"
    reading.mkdir()
    for source, name in [
        (entry, "entry"),
        (house.home / "store" / sealed, "report.csv.esdk"),
        (keys / "demo-signing.pub.pem", "signing.pub.pem"),
        (keys / "demo-recipient.pem", "recipient.pem"),
    ]:
        shutil.copy(source, reading / name)
    for name, program in programs().items():
        (reading / name).write_text(program, encoding="utf-8")
    environment = {"PATH": house.environment["PATH"], "HOME": str(folder)}
    environment |= {name: value for name, value in settings.items() if name.startswith("AWS_")}
    return Reader(reading, house.report(), environment)


@pytest.fixture(scope="module")
def simulators() -> Iterator[str]:
    with SimulatorServer(Options(accounts=60, auth="none")) as server:
        yield server.url


@pytest.fixture(scope="module")
def reader(simulators: str, tmp_path_factory: pytest.TempPathFactory) -> Reader:
    """With an RSA key."""
    made = _reader(tmp_path_factory.mktemp("rsa"), simulators)
    install, _, _ = command("npm install").partition("\n")
    modules = others_tools.npm(install) / "node_modules"
    (made.folder / "node_modules").symlink_to(modules)
    return made


OPEN = "node open_report.mjs entry report.csv.esdk recipient.pem report.csv"


def test_the_programs_are_as_short_as_the_document_says() -> None:
    assert {name: len(text.splitlines()) for name, text in programs().items()} == {
        "verify_entry.mjs": 11,
        "open_report.mjs": 15,
    }


def test_a_report_is_verified_and_opened_with_npm_alone(reader: Reader, tmp_path: Path) -> None:
    here = reader.beside(tmp_path / "here")
    verified = here.run(command("node verify_entry.mjs"))
    assert verified.status == 0, verified
    assert f"Entry 1, report of {DAY} version 1: signed by this key" in verified.out
    assert here.run(command("echo")).out == "report.csv.esdk: OK\n"
    assert command("npm install").splitlines()[1] == OPEN
    opened = here.run(OPEN)
    assert opened.status == 0, opened
    assert here.out.read_bytes() == here.report
    assert here.out.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("made", "good"),
    [
        (lambda: ec.generate_private_key(ec.SECP256R1()), True),
        (lambda: rsa.generate_private_key(65537, 3072), False),
    ],
)
def test_an_entry_is_verified_by_a_key_as_kms_has_it_and_by_no_rsa_key(
    reader: Reader, tmp_path: Path, made: Callable[[], Any], good: bool
) -> None:
    here = reader.beside(tmp_path / "here")
    key, payload = made(), (here.folder / "entry").read_bytes().split(b"\n")[0]
    told = json.loads(payload)
    place = StoreIdentity(told["environment"], told["store"])
    message = statement(place, told["sequence"], hashlib.sha256(payload).hexdigest())
    padding = () if good else (PKCS1v15(),)
    signature = key.sign(message, *padding, ec.ECDSA(SHA256()) if good else SHA256())
    signed = {"key": "", "signature": base64.b64encode(signature).decode()}
    (here.folder / "entry").write_bytes(payload + b"\n" + json.dumps(signed).encode() + b"\n")
    assert here.run(command("node verify_entry.mjs")).status != 0  # by the key of before
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (here.folder / "signing.pub.pem").write_bytes(public)
    assert (here.run(command("node verify_entry.mjs")).status == 0) is good
    spoiled = payload.replace(b'"version":1', b'"version":2')
    (here.folder / "entry").write_bytes(spoiled + b"\n" + json.dumps(signed).encode() + b"\n")
    assert here.run(command("node verify_entry.mjs")).status != 0


def test_what_was_altered_is_refused_by_what_the_document_says(reader: Reader, tmp_path: Path) -> None:
    sealed = (reader.folder / "report.csv.esdk").read_bytes()
    entry = (reader.folder / "entry").read_bytes()
    spoiled = {
        "flipped": ("report.csv.esdk", sealed[:-300] + bytes([sealed[-300] ^ 1]) + sealed[-299:]),
        "cut off": ("report.csv.esdk", sealed[:-1]),
        "appended": ("report.csv.esdk", sealed + b"\0"),
        "another version": ("entry", entry.replace(b'"version":1', b'"version":2')),
        "another date": ("entry", entry.replace(b'"date":"2026-01-15"', b'"date":"2026-01-16"')),
    }
    for number, (name, data) in enumerate(spoiled.values()):
        here = reader.beside(tmp_path / str(number))
        assert data != (here.folder / name).read_bytes()
        (here.folder / name).write_bytes(data)
        if name == "entry":
            assert here.run(command("node verify_entry.mjs")).status != 0
        else:
            assert here.run(command("echo")).status != 0
        assert here.run(OPEN).status != 0
        assert [path.name for path in here.folder.glob("report.csv*")] == ["report.csv.esdk"]


@pytest.fixture(scope="module")
def kms_server() -> Iterator[KmsServer]:
    yield from kms()


@pytest.fixture(scope="module")
def kms_reader(simulators: str, kms_server: KmsServer, tmp_path_factory: pytest.TempPathFactory) -> Reader:
    """With a KMS key, beside which a recipient with an RSA key is one more."""
    arn = kms_server.create_key()
    made = _reader(
        tmp_path_factory.mktemp("kms"),
        simulators,
        ESG_REPORT_RECIPIENTS=f"demo-recipient.pub.pem,aws-kms://{arn}",
        **kms_server.environment,
    )
    made.environment["KEY_ARN"] = arn
    folder = others_tools.aws_command_line(command("python3 -m venv"))
    (made.folder / "aws-cli-venv").symlink_to(folder / "aws-cli-venv")
    return made


@pytest.mark.proof  # installing the command line and starting a KMS take half a minute
def test_a_report_is_opened_with_the_aws_command_line_and_a_kms_key(
    kms_reader: Reader, kms_server: KmsServer, tmp_path: Path
) -> None:
    here = kms_reader.beside(tmp_path / "here")
    kms_server.calls.clear()
    opened = here.run(command("context="))
    assert opened.status == 0, opened
    assert here.out.read_bytes() == here.report
    assert kms_server.calls == {"Decrypt": 1}


@pytest.mark.proof
def test_the_aws_command_line_refuses_another_context_and_altered_bytes(
    kms_reader: Reader, tmp_path: Path
) -> None:
    sealed = (kms_reader.folder / "report.csv.esdk").read_bytes()
    entry = (kms_reader.folder / "entry").read_bytes()
    for number, (name, data) in enumerate(
        [
            ("entry", entry.replace(b'"version":1', b'"version":2')),
            ("report.csv.esdk", sealed[:-300] + bytes([sealed[-300] ^ 1]) + sealed[-299:]),
        ]
    ):
        here = kms_reader.beside(tmp_path / str(number))
        (here.folder / name).write_bytes(data)
        assert here.run(command("context=")).status != 0
        assert not here.out.exists() or here.out.read_bytes() == b""
