"""`esg-assets report archive|reseal|hold|release|expire` and `keys rotate` over real keys and stores."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from esg_assets.adapters.keys import generate
from esg_assets.cli import main as cli
from esg_assets_tests.release_fixtures import PREFIX, Maker, csv_of, day

REASON = ["--reason", "a reason"]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two published dates of January 2026, whose windows have long ended, and the settings for them."""
    home, cwd = tmp_path / "home", tmp_path / "cwd"
    home.mkdir(mode=0o700)
    cwd.mkdir()
    maker = Maker(home)
    for number in range(2):
        maker.publish(day(number))
    monkeypatch.chdir(cwd)
    for name, value in {
        "DAGSTER_HOME": str(home),
        "ESG_ENV": "test",
        "ESG_WORKING_KEY": f"{maker.keys}/{PREFIX}working.key",
        "ESG_SIGNING_KEY": f"{maker.keys}/{PREFIX}signing.pem",
        "ESG_REPORT_RECIPIENTS": f"{maker.keys}/{PREFIX}recipient.pub.pem",
    }.items():
        monkeypatch.setenv(name, value)
    return home


def told(capsys: pytest.CaptureFixture[str], status: int, *arguments: str) -> dict[str, Any]:
    """What a command prints with --json."""
    assert cli.run([*arguments, "--json"]) == status
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def date(number: int) -> list[str]:
    return ["--date", day(number).isoformat()]


def test_archive_rotate_and_archive_again(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(Path(__file__).parents[2] / "dagster.yaml", home)
    one = told(capsys, 0, "report", "archive", *date(0))
    assert [(each["date"], each["outcome"], each["version"]) for each in one["dates"]] == [
        ("2026-01-15", "archived", 1)
    ]
    rotated = told(capsys, 0, "keys", "rotate")
    assert (rotated["made"], rotated["dates"]) == (True, ["2026-01-16"])
    assert rotated["resealed"] == rotated["objects"] == 5
    assert [Path(each).name for each in rotated["removed"]] == [f"{PREFIX}working.key.1"]
    rest = told(capsys, 0, "report", "archive")
    assert [(each["date"], each["outcome"]) for each in rest["dates"]] == [("2026-01-16", "archived")]
    assert told(capsys, 0, "report", "archive") == {"dates": []}
    assert told(capsys, 0, "report", "verify")["entries"] == 6


def test_hold_release_and_too_early_an_expiry(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, 0, "report", "hold", *date(0), *REASON) == {
        "date": "2026-01-15",
        "sequence": 5,
        "kind": "hold",
    }
    for refused, words in (
        (["report", "hold", *date(0), *REASON], "under hold already"),
        (["report", "expire", *date(0), *REASON], "`esg-assets report release` ends the hold"),
        (["report", "release", *date(1), *REASON], "under no hold"),
        (["report", "hold", *date(5), *REASON], "no report of that date is published"),
    ):
        assert words in told(capsys, 1, *refused)["error"]
    assert told(capsys, 0, "report", "release", *date(0), *REASON)["sequence"] == 6
    early = told(capsys, 1, "report", "expire", *date(0), *REASON)["error"]
    assert "may expire on 2032-01-15 at the earliest" in early
    assert "--reason is empty" in told(capsys, 2, "report", "hold", *date(0), "--reason", " ")["error"]
    wrong = told(capsys, 2, "report", "expire", *date(0), *REASON, "--superseded")
    assert "--superseded and --key belong together" in wrong["error"]


def test_a_custodian_reseals_and_the_old_objects_go(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    keys = home / "keys"
    generate(tmp_path / "new", "recipient")
    host = str(keys / f"{PREFIX}signing.pem")
    monkeypatch.setenv(
        "ESG_VERIFY_KEYS", f"{keys}/{PREFIX}signing.pub.pem,custodian:{keys}/{PREFIX}custodian.pub.pem"
    )
    monkeypatch.setenv("ESG_SIGNING_KEY", f"{keys}/{PREFIX}custodian.pem")
    new = ["--recipients", f"{tmp_path}/new/recipient.pub.pem"]
    command = ["report", "reseal", *date(0), "--key", f"{keys}/{PREFIX}recipient.pem", *new, *REASON]
    (done,) = told(capsys, 0, *command)["versions"]
    assert (done["version"], done["resealed"]) == (1, True)
    assert told(capsys, 0, *command)["versions"] == [{**done, "resealed": False}]
    out = tmp_path / "report.csv"
    opened = ["report", "decrypt", *date(0), "--key", f"{tmp_path}/new/recipient.pem", "--out", str(out)]
    assert told(capsys, 0, *opened)["rows"] == 3
    assert out.read_bytes() == csv_of(day(0))
    expiry = ["report", "expire", *date(0), *REASON, "--superseded", "--key"]
    assert "custodian" in told(capsys, 2, *expiry, f"{tmp_path}/new/recipient.pem")["error"]
    monkeypatch.setenv("ESG_SIGNING_KEY", host)
    assert told(capsys, 1, *expiry, f"{keys}/{PREFIX}recipient.pem")["kind"] == "Tampered"
    assert told(capsys, 0, *expiry, f"{tmp_path}/new/recipient.pem")["objects"] == 3
    assert told(capsys, 0, "report", "verify")["ok"]
    assert told(capsys, 0, *expiry, f"{tmp_path}/new/recipient.pem")["objects"] == 0


def test_a_reseal_wants_the_keys_that_verify_and_recipients_that_are_some(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = f"{home}/keys/{PREFIX}recipient.pem"
    command = ["report", "reseal", *date(0), "--key", key, "--recipients"]
    assert "ESG_VERIFY_KEYS is not set" in told(capsys, 2, *command, "a.pub.pem")["error"]
    keyring = ["--keyring", f"{home}/keys/{PREFIX}signing.pub.pem"]
    assert "--recipients: wanted is" in told(capsys, 2, *command, "aws-kms://", *keyring)["error"]
    assert "cannot be read" in told(capsys, 2, *command, "none.pub.pem", *keyring)["error"]


@pytest.mark.parametrize("command", ["hold", "release", "expire", "reseal", "accept-restore"])
def test_an_account_that_is_kept_here_is_taken_in_no_reason(
    home: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    keys = home / "keys"
    more = {
        "reseal": [
            "--key",
            f"{keys}/{PREFIX}recipient.pem",
            "--recipients",
            f"{keys}/{PREFIX}recipient.pub.pem",
        ],
        "accept-restore": [],
    }
    keyring = [] if command == "accept-restore" else ["--keyring", f"{keys}/{PREFIX}signing.pub.pem"]
    # Of the sixth date there are no accounts here: those of the newest stand in.
    dates = [[]] if command == "accept-restore" else [date(0), date(5)]
    for which in dates:
        reason = ["--reason", "the owner of ACC-0000001 asked"]
        refused = told(capsys, 2, "report", command, *which, *reason, *more.get(command, []), *keyring)
        assert "--reason is not taken: it holds the id of an account" in refused["error"]
        assert "ACC-0000001" not in refused["error"]
    assert told(capsys, 0, "report", "verify")["entries"] == 4
