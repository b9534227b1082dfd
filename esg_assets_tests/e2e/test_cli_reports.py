"""`esg-assets report list|decrypt|verify|failures` over real keys and stores."""

import io
import json
import os
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from esg_assets.adapters.stores.local import LocalStore
from esg_assets.cli import main as cli
from esg_assets.core.ratings import Reason
from esg_assets.core.summary import FailedAccount, summary_chunks
from esg_assets_tests.adapters.records_material import CSV, OTHER_CSV, Records, recipient, signing_key
from esg_assets_tests.adapters.work_material import DAY, WORKING_KEY, batch, failure

D = ["--date", "2026-01-15"]


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Records:
    """Two versions of one report, with the keys in files and the settings that lead there."""
    house = Records(LocalStore(tmp_path / "store"), LocalStore(tmp_path / "work"))
    house.publish(DAY)
    published = house.publish(DAY, OTHER_CSV, reason="corrected")
    failed = [FailedAccount("ACC-0000001", Reason.TIMEOUT, 5, None)]
    house.publications().publish_summary(published, summary_chunks({"schema_version": 1}, failed))
    _keys(tmp_path)
    for name in [*os.environ]:
        if name.startswith("ESG_"):
            monkeypatch.delenv(name)
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    monkeypatch.setenv("ESG_ENV", "test")
    monkeypatch.setenv("ESG_STORE_URL", f"{tmp_path}/store")
    monkeypatch.setenv("ESG_WORK_URL", f"{tmp_path}/work")
    monkeypatch.setenv("ESG_VERIFY_KEYS", f"{tmp_path}/signing.pub.pem")
    return house


def _keys(folder: Path) -> None:
    public = signing_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    files = {"signing.pub.pem": public, "recipient.pem": recipient(1)[1].pem, "working.key": WORKING_KEY}
    other = signing_key(9).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    locked = load_pem_private_key(recipient(1)[1].pem, None).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"open sesame")
    )
    for name, data in {**files, "other.pub.pem": other, "locked.pem": locked}.items():
        (folder / name).write_bytes(data)
        (folder / name).chmod(0o600)


class Terminal(io.StringIO):
    """Standard input where somebody sits."""

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return True


def told(capsys: pytest.CaptureFixture[str], status: int, *arguments: str) -> dict[str, Any]:
    """What a command prints with --json."""
    assert cli.run(["report", *arguments, "--json"]) == status
    captured = capsys.readouterr()
    assert captured.err == ""
    found: dict[str, Any] = json.loads(captured.out)
    return found


def test_list_shows_every_version(house: Records, capsys: pytest.CaptureFixture[str]) -> None:
    listed = told(capsys, 0, "list")["reports"]

    assert [(each["date"], each["version"], each["sequence"]) for each in listed] == [
        ("2026-01-15", 1, 1),
        ("2026-01-15", 2, 2),
    ]
    assert listed[0]["counts"] == {"SUCCESS": 2, "NOT_RATED": 0, "FAILED": 1}

    assert cli.run(["report", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["date", "version", "entry", "SUCCESS", "NOT_RATED", "FAILED", "recipients"]
    assert len(lines) == 3


def test_decrypt_writes_the_newest_or_the_version_that_is_wanted(
    house: Records, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    key = ["--key", f"{tmp_path}/recipient.pem"]

    newest = told(capsys, 0, "decrypt", *D, *key, "--out", f"{tmp_path}/newest.csv")
    told(capsys, 0, "decrypt", *D, *key, "--version", "1", "--out", f"{tmp_path}/first.csv")

    assert newest["version"] == 2
    assert (tmp_path / "newest.csv").read_bytes() == b"".join(OTHER_CSV)
    assert (tmp_path / "newest.csv").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "first.csv").read_bytes() == b"".join(CSV)


def test_decrypt_does_not_overwrite_and_gives_nothing_without_the_right_key(
    house: Records, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = tmp_path / "report.csv"
    stranger = tmp_path / "stranger.pem"
    stranger.write_bytes(recipient(3)[1].pem)
    stranger.chmod(0o600)

    assert told(capsys, 1, "decrypt", *D, "--key", str(stranger), "--out", str(out))["kind"] == "Refused"
    assert not out.exists()

    out.write_text("mine")
    again = told(capsys, 1, "decrypt", *D, "--key", f"{tmp_path}/recipient.pem", "--out", str(out))
    assert again["kind"] == "Refused"
    assert out.read_text() == "mine"


def test_a_pass_phrase_is_asked_for_where_somebody_sits(
    house: Records, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["decrypt", *D, "--key", f"{tmp_path}/locked.pem", "--out", f"{tmp_path}/report.csv"]

    assert "is encrypted: give its passphrase" in told(capsys, 2, *arguments)["error"]

    asked: list[str] = []

    def prompt(text: str, **options: object) -> str:
        asked.append(text)
        assert options == {"hide_input": True, "err": True}
        return "open sesame"

    monkeypatch.setattr("typer.prompt", prompt)
    monkeypatch.setattr("sys.stdin", Terminal())

    assert told(capsys, 0, *arguments)["version"] == 2
    assert asked == [f"Pass phrase of {tmp_path}/locked.pem"]


@pytest.mark.parametrize(
    "key", ["aws-kms://arn:aws:kms:us-east-2:123456789012:alias/reports", "s3://bucket/key.pem"]
)
def test_a_key_that_cannot_be_used_is_told(
    house: Records, capsys: pytest.CaptureFixture[str], tmp_path: Path, key: str
) -> None:
    answer = told(capsys, 2, "decrypt", *D, "--key", key, "--out", f"{tmp_path}/report.csv")

    assert answer["error"].startswith("--key: ")


def test_verify_says_that_all_is_well(house: Records, capsys: pytest.CaptureFixture[str]) -> None:
    judged = told(capsys, 0, "verify")

    assert judged["ok"]
    assert judged["entries"] == 3
    head = f"{judged['head']['sequence']}:{judged['head']['sha256']}"
    assert told(capsys, 0, "verify", "--expect-head", head) == judged
    assert cli.run(["report", "verify"]) == 0
    assert capsys.readouterr().out == f"All is well: 3 entries verified, head {head}.\n"


def test_verify_ends_with_1_and_names_what_is_wrong(
    house: Records, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    report = house.publications().latest(DAY)
    assert report is not None
    (tmp_path / "store" / report.report.key).unlink()

    judged = told(capsys, 1, "verify", *D)
    assert [(fault["version"], fault["what"]) for fault in judged["faults"]] == [
        (2, "the sealed report is missing from the store")
    ]
    assert cli.run(["report", "verify"]) == 1
    assert "1 faults in 3 entries" in capsys.readouterr().out
    assert told(capsys, 2, "verify", "--expect-head", "nonsense")["kind"] == "SettingsWrong"
    assert told(capsys, 1, "verify", "--date", "2026-01-16", "--expect-head", f"1:{'0' * 64}")["ok"] is False


def test_verify_takes_its_keys_from_a_keyring(
    house: Records, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ESG_VERIFY_KEYS")
    keyring = tmp_path / "keyring"
    keyring.write_text("# who signs\nother.pub.pem@1-2\n\nsigning.pub.pem@1\n")

    assert told(capsys, 0, "verify", "--keyring", str(keyring))["ok"]
    assert told(capsys, 0, "verify", "--keyring", f"{tmp_path}/signing.pub.pem")["ok"]
    assert not told(capsys, 1, "verify", "--keyring", f"{tmp_path}/other.pub.pem")["ok"]

    keyring.write_text("signing.pub.pem@3\n")
    assert not told(capsys, 1, "verify", "--keyring", str(keyring))["ok"]


@pytest.mark.parametrize(
    ("text", "why"), [("", "names no key"), ("a.pem@9-3\n", "line 1"), (None, "a readable text file")]
)
def test_a_keyring_that_is_none_is_told(
    house: Records, capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str | None, why: str
) -> None:
    keyring = tmp_path / "keyring"
    if text is not None:
        keyring.write_text(text)

    assert why in told(capsys, 2, "verify", "--keyring", str(keyring))["error"]


def test_without_any_key_to_verify_with_nothing_is_said_to_be_well(
    house: Records, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ESG_VERIFY_KEYS")

    for command in ("list", "verify"):
        assert "no public key to verify with" in told(capsys, 2, command)["error"]


def test_verify_does_not_believe_a_dotenv(
    house: Records, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path(".env").write_text(f"ESG_VERIFY_KEYS={tmp_path}/signing.pub.pem\n")
    monkeypatch.delenv("ESG_VERIFY_KEYS")

    assert "no public key to verify with" in told(capsys, 2, "verify")["error"]


def test_another_environments_store_is_refused(
    house: Records, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ESG_ENV", "dev")

    answer = told(capsys, 1, "verify")

    assert answer.get("kind") == "Refused" or not answer["ok"]


def test_failures_come_from_working_data_or_with_a_key_from_the_summary(
    house: Records, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_summary = told(capsys, 0, "failures", *D, "--key", f"{tmp_path}/recipient.pem")
    assert [each["account_id"] for each in of_summary["failures"]] == ["ACC-0000001"]

    assert "ESG_WORKING_KEY is not set" in told(capsys, 2, "failures", *D)["error"]
    monkeypatch.setenv("ESG_WORKING_KEY", f"{tmp_path}/working.key")
    assert told(capsys, 0, "failures", *D)["failures"] == []
    assert cli.run(["report", "failures", *D]) == 0
    assert capsys.readouterr().out == "No account failed on 2026-01-15.\n"

    house.parts().append(house.snapshot(DAY), batch(failure("ACC-0000002")))
    assert cli.run(["report", "failures", *D]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ["ACC-0000002", "timeout", "5", "-"]
    assert lines[-1] == "1 failed on 2026-01-15."


def test_an_empty_store_has_no_report(
    house: Records, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ESG_STORE_URL", f"{tmp_path}/empty")

    assert cli.run(["report", "list"]) == 0
    assert capsys.readouterr().out == "No report was published yet.\n"


@pytest.mark.parametrize("day", ["15.01.2026", "2026-02-30", "yesterday"])
def test_a_date_that_is_none_is_wrong_usage(
    house: Records, capsys: pytest.CaptureFixture[str], day: str
) -> None:
    assert told(capsys, 2, "failures", "--date", day)["kind"] == "Usage"
