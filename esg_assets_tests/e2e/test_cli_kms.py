"""Commands with keys in AWS KMS, asked over HTTP: what they do, and what they say when KMS refuses."""

import hashlib
import io
import json
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from esg_assets.adapters.keys import generate, load_private_key
from esg_assets.cli import main as cli
from esg_assets.lifecycle import LifecycleStores
from esg_assets.settings import KeyRef, load_settings
from esg_assets_tests.fake_history import MemoryHistory
from esg_assets_tests.kms_server import KmsServer
from esg_assets_tests.pipeline.house import DAY, house_on_disk

ACCOUNT = "000000000000"  # of the server


@pytest.fixture(scope="module")
def night(kms_process: KmsServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of a host whose recipient is in KMS and that has published a report."""
    folder = tmp_path_factory.mktemp("night")
    arn = kms_process.create_key()
    with pytest.MonkeyPatch.context() as patch, house_on_disk(folder) as house:
        for name, value in kms_process.environment.items():
            patch.setenv(name, value)
        assert house.run(report_recipients=(KeyRef(arn=arn),)).success
        keys = folder / "home" / "keys"
        yield {
            "DAGSTER_HOME": str(folder / "home"),
            "ESG_ENV": "dev",
            "ESG_WORKING_KEY": f"{keys}/demo-working.key",
            "ESG_SIGNING_KEY": f"{keys}/demo-signing.pem",
            "ESG_REPORT_RECIPIENTS": f"aws-kms://{arn}",
        }


@pytest.fixture
def host(
    night: dict[str, str], kms_server: KmsServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> str:
    """The host's environment in force; the URL of its recipient's key."""
    for name in [*os.environ]:
        if name.startswith("ESG_"):
            monkeypatch.delenv(name)
    for name, value in night.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    kms_server.calls.clear()
    return night["ESG_REPORT_RECIPIENTS"]


def told(capsys: pytest.CaptureFixture[str], status: int, *arguments: str) -> dict[str, Any]:
    """The JSON answer of a command that ends with `status`."""
    capsys.readouterr()
    assert cli.run([*arguments, "--json"]) == status
    captured = capsys.readouterr()
    answer: dict[str, Any] = json.loads(captured.out or captured.err)
    return answer


def decrypt(capsys: pytest.CaptureFixture[str], status: int, key: str) -> dict[str, Any]:
    return told(capsys, status, "report", "decrypt", "--date", str(DAY), "--key", key, "--out", "report.csv")


def test_a_report_is_decrypted_with_the_key_in_kms(
    host: str, kms_server: KmsServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert decrypt(capsys, 0, host)["rows"] == 12
    assert Path("report.csv").read_bytes().count(b"\r\n") == 13
    assert stat.S_IMODE(Path("report.csv").stat().st_mode) == 0o600
    assert kms_server.calls == {"Decrypt": 1}


def test_failures_are_read_with_the_key_in_kms(host: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, 0, "report", "failures", "--date", str(DAY), "--key", host)["failures"] == []


def test_past_reports_are_read_with_the_key_in_kms(
    host: str,
    kms_server: KmsServer,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    home = tmp_path / "copy"
    shutil.copytree(os.environ["DAGSTER_HOME"], home)
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    monkeypatch.setattr("sys.stdin", io.StringIO("ACC-00003\n"))
    span = ["--from", str(DAY), "--to", str(DAY)]
    (found,) = told(capsys, 0, "report", "account", *span, "--key", host)["reports"]
    assert found["row"]["processing_status"] == "SUCCESS"
    assert told(capsys, 0, "report", "diff", str(DAY), str(DAY), "--key", host)["before"]["rows"] == 12

    stores = LifecycleStores(load_settings("").model_copy(update={"working_days": 0}), MemoryHistory())
    stores.window.close(DAY)
    kms_server.calls.clear()
    again = told(capsys, 0, "report", "reproduce", "--date", str(DAY), "--key", host)
    assert (again["equal"], again["from"], again["judged_again"]) == (True, "archive", 12)
    assert kms_server.calls == {"Decrypt": 3}, "the archive twice, and the salt"


@pytest.mark.parametrize(
    ("code", "what"),
    [
        ("AccessDeniedException", "kms:Decrypt), --key"),
        ("DisabledException", "is disabled"),
        ("ThrottlingException", "too many calls"),
    ],
)
def test_a_refused_decrypt_says_why_and_leaves_nothing(
    host: str, kms_server: KmsServer, capsys: pytest.CaptureFixture[str], code: str, what: str
) -> None:
    with kms_server.refusing(code, "Decrypt"):
        answer = decrypt(capsys, 1, host)
    assert what in answer["error"]
    assert ACCOUNT not in answer["error"]
    assert list(Path.cwd().iterdir()) == []


@pytest.mark.parametrize("kind", ["KMS", "file"])
def test_a_key_that_is_no_recipient_is_told_so_with_those_that_are(
    host: str, kms_server: KmsServer, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    if kind == "KMS":
        arn = kms_server.create_key()
        key, name = f"aws-kms://{arn}", hashlib.sha256(arn.encode()).hexdigest()
    else:
        key = str(generate(tmp_path / "other", "recipient")[0])
        name = load_private_key(Path(key)).fingerprint
    recipient = hashlib.sha256(host.removeprefix("aws-kms://").encode()).hexdigest()
    for answer in (
        decrypt(capsys, 1, key),
        told(capsys, 1, "report", "failures", "--date", str(DAY), "--key", key),
    ):
        assert f"the key {name[:16]} of --key is none of its recipients" in answer["error"]
        assert f"They are the keys {recipient[:16]}:" in answer["error"]
        assert ACCOUNT not in answer["error"]
    assert not (tmp_path / "report.csv").exists()
    assert kms_server.calls["Decrypt"] == 0


def test_the_doctor_asks_kms_what_a_run_asks(
    host: str, kms_server: KmsServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    signing = kms_server.create_key("ECC_NIST_P256")
    monkeypatch.setenv("ESG_WORKING_KEY", f"aws-kms://{kms_server.create_key()}")
    monkeypatch.setenv("ESG_SIGNING_KEY", f"aws-kms://{signing}")
    monkeypatch.setenv("ESG_VERIFY_KEYS", "signing.pub.pem")
    made = told(capsys, 0, "keys", "public", "--out", "signing.pub.pem")
    assert stat.S_IMODE(Path("signing.pub.pem").stat().st_mode) == 0o644
    kms_server.calls.clear()

    assert [state for state, _ in keys(capsys)] == ["ok"] * 4
    assert kms_server.calls == {"GenerateDataKey": 2, "Decrypt": 1, "GetPublicKey": 2, "Sign": 1}
    with kms_server.refusing("AccessDeniedException", "Sign"):
        (wrong,) = [text for state, text in keys(capsys) if state == "wrong"]
    assert "kms:Sign" in wrong
    assert "ESG_SIGNING_KEY" in wrong
    kms_server.admin("disable_key", KeyId=signing)
    assert [state for state, _ in keys(capsys)][:2] == ["ok", "wrong"]
    assert told(capsys, 1, "keys", "public", "--out", "signing.pub.pem")["error"]
    assert len(made["fingerprint"]) == 64


def test_a_public_key_is_never_written_over(host: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert host
    assert told(capsys, 0, "keys", "public", "--out", "a.pem")["file"] == "a.pem"
    before = Path("a.pem").read_bytes()
    assert "there already" in told(capsys, 1, "keys", "public", "--out", "a.pem")["error"]
    assert Path("a.pem").read_bytes() == before


def keys(capsys: pytest.CaptureFixture[str]) -> list[tuple[str, str]]:
    """What the doctor found out about keys."""
    checks = told(capsys, 1, "doctor")["checks"]
    return [(check["state"], check["text"]) for check in checks if check["name"] == "keys"]
