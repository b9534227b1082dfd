"""`esg-assets report accept-restore|verifier` and keyrings, as people use them."""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from esg_assets.adapters.database.history import SqlHistory
from esg_assets.adapters.stores.local import LocalStore
from esg_assets.cli import main as cli
from esg_assets.core.history import ChainHead
from esg_assets.core.remembered_chain import record_missing
from esg_assets_tests.adapters.records_material import Records, signing_key
from esg_assets_tests.adapters.work_material import DAY, NEXT
from esg_assets_tests.e2e.test_cli_reports import told


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Records:
    """Two published dates on a host whose history remembers them."""
    house = Records(LocalStore(tmp_path / "store"), LocalStore(tmp_path / "work"))
    for day in (DAY, NEXT):
        house.publications().publish_summary(house.publish(day), b"{}")
    key = signing_key()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "signing.pem").write_bytes(private)
    (tmp_path / "signing.pem").chmod(0o600)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.setenv("ESG_ENV", "test")
    monkeypatch.setenv("ESG_STORE_URL", f"{tmp_path}/store")
    monkeypatch.setenv("ESG_WORK_URL", f"{tmp_path}/work")
    monkeypatch.setenv("ESG_DATABASE_URL", f"sqlite:///{tmp_path}/history.sqlite")
    monkeypatch.setenv("ESG_SIGNING_KEY", f"{tmp_path}/signing.pem")
    assert cli.run(["keys", "public", "--out", f"{tmp_path}/signing.pub.pem"]) == 0
    history = SqlHistory(f"sqlite:///{tmp_path}/history.sqlite")
    entries = house.reader().entries()
    record_missing(history, entries)
    history.remember_head(ChainHead(entries[-1].sequence, entries[-1].sha256))
    return house


def cut(folder: Path, *sequences: int) -> None:
    for sequence in sequences:
        (folder / "store" / "chain" / f"{sequence:010d}").unlink()


def test_a_loss_is_accepted_with_a_reason_and_says_what_is_gone(
    house: Records, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert cli.run(["report", "accept-restore", "--reason", "nothing is lost"]) == 1
    assert "Nothing is lost, and nothing was written" in capsys.readouterr().err
    lost = str(house.reader().head())
    cut(tmp_path, 3, 4)
    for command in (["hold", "--date", str(DAY)], ["release", "--date", str(DAY)]):
        assert cli.run(["report", *command, "--reason", "an order"]) == 1
        assert "ends at entry 2, and entry 4 is remembered" in capsys.readouterr().err
    assert cli.run(["report", "accept-restore", "--reason", "two\nlines"]) == 2
    assert "line break" in capsys.readouterr().err
    done = told(capsys, 0, "accept-restore", "--reason", "the bucket was restored from Monday's copy")
    assert done == {
        "sequence": 3,
        "lost_head": lost,
        "lost_reports": [{"date": "2026-01-16", "version": 1}],
    }
    assert told(capsys, 0, "verify")["head"]["sequence"] == 3
    [fault] = told(capsys, 1, "verify", "--expect-head", lost)["faults"]
    assert "entry 3 says that the records were restored" in fault["what"]
    assert cli.run(["report", "hold", "--date", str(DAY), "--reason", "an order"]) == 0
    assert cli.run(["report", "accept-restore", "--reason", "again"]) == 1


def test_the_verifier_is_written_and_is_a_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    written = told(capsys, 0, "verifier", "--out", "v.py")
    data = (tmp_path / "v.py").read_bytes()
    assert written == {"path": "v.py", "bytes": len(data)}
    compile(data, "v.py", "exec")
    assert cli.run(["report", "verifier", "--out", "v.py"]) == 1
    assert "is there already" in capsys.readouterr().err


def test_a_keyring_file_says_who_may_sign_what(
    house: Records, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    keyring = tmp_path / "keyring"
    said = {
        "signing.pub.pem": set(),
        "signing.pub.pem\nrevoked:signing.pub.pem@4": {4},
        "custodian:signing.pub.pem": {1, 2, 3, 4},
        "signing.pub.pem@1-2": {3, 4},
    }
    for lines, sequences in said.items():
        keyring.write_text(lines)
        assert cli.run(["report", "verify", "--keyring", str(keyring), "--json"]) == bool(sequences)
        found = json.loads(capsys.readouterr().out)
        assert {fault["sequence"] for fault in found["faults"]} == sequences
    keyring.write_text("revoked:signing.pub.pem")
    assert cli.run(["report", "verify", "--keyring", str(keyring)]) == 2
    assert "line 1: wanted is revoked:FILE@SEQ" in capsys.readouterr().err
