"""`esg-assets doctor`: finds what is wrong, says what to do, and shows no secret."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from esg_assets.adapters.keys import DEMO_PREFIX, generate
from esg_assets.cli import main as cli
from esg_assets.simulators.options import Options
from esg_assets.simulators.server import SimulatorServer

SECRET = "s3cr3t-w0rd"
ACCOUNTS = (
    "account_id,status,account_name,account_type,base_currency,market_value\nA1,active,Fund,ira,USD,1.5\n"
)

Findings = dict[str, list[tuple[str, str]]]


@pytest.fixture(scope="module")
def simulator() -> Iterator[SimulatorServer]:
    """Account system and ESG API."""
    with SimulatorServer(Options(accounts=3, client_secret=SECRET)) as server:
        yield server


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with demo keys."""
    folder = tmp_path_factory.mktemp("demo") / "keys"
    generate(folder, prefix=DEMO_PREFIX)
    return folder


@pytest.fixture
def healthy(
    simulator: SimulatorServer, keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> pytest.MonkeyPatch:
    """Settings with which nothing is wrong."""
    monkeypatch.chdir(tmp_path)
    for name in [*os.environ]:
        if name.startswith("ESG_"):
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    (home / "dagster.yaml").touch()
    for name, value in {
        "DAGSTER_HOME": str(home),
        "ESG_ACCOUNTS_URL": simulator.url,
        "ESG_ACCOUNTS_AUTH": "oauth2",
        "ESG_ACCOUNTS_TOKEN_URL": f"{simulator.url}/oauth2/token",
        "ESG_ACCOUNTS_CLIENT_ID": "demo-client",
        "ESG_ACCOUNTS_CLIENT_SECRET": SECRET,
        "ESG_API_URL": simulator.url,
        "ESG_API_TOKEN_URL": f"{simulator.url}/oauth2/token",
        "ESG_API_CLIENT_ID": "demo-client",
        "ESG_API_CLIENT_SECRET": SECRET,
        "ESG_WORKING_KEY": f"{keys}/demo-working.key",
        "ESG_SIGNING_KEY": f"{keys}/demo-signing.pem",
        "ESG_REPORT_RECIPIENTS": f"{keys}/demo-recipient.pub.pem",
    }.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def doctor(capsys: pytest.CaptureFixture[str], status: int) -> Findings:
    """What the doctor found, by check."""
    assert cli.run(["doctor", "--json"]) == status
    captured = capsys.readouterr()
    assert SECRET not in captured.out + captured.err
    told = json.loads(captured.out)
    assert told["ok"] == (status == 0)
    found: Findings = {}
    for check in told["checks"]:
        found.setdefault(check["name"], []).append((check["state"], check["text"]))
    return found


def test_with_everything_right_each_check_is_ok(
    healthy: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = doctor(capsys, 0)

    assert set(found) == {
        "settings", "home", "keys", "records", "records' bucket", "work", "leftovers", "database",
        "account system", "ESG API", "channels",
    }  # fmt: skip
    nobody = "no channel is set up, so that nobody is told of an incident"
    assert found.pop("channels") == [("skipped", nobody)]
    assert {state for findings in found.values() for state, _ in findings} == {"ok"}
    assert found["account system"][0][1].endswith(" rows in the first page")


def test_people_get_a_table_and_a_last_line(
    healthy: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["doctor"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "Nothing to put right."


def test_nothing_of_the_records_is_written(
    healthy: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    doctor(capsys, 0)

    assert not (tmp_path / "home/store").exists()
    assert [path for path in (tmp_path / "home/work").rglob("*") if path.is_file()] == []


def test_what_is_missing_is_named_and_the_rest_is_looked_at(
    healthy: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    healthy.delenv("ESG_API_CLIENT_SECRET")
    healthy.delenv("ESG_ACCOUNTS_URL")

    found = doctor(capsys, 1)

    assert [text.partition(" ")[0] for state, text in found["settings"] if state == "wrong"] == [
        "ESG_ACCOUNTS_URL",
        "ESG_API_CLIENT_SECRET",
    ]
    assert found["ESG API"] == [("skipped", "ESG_API_CLIENT_SECRET is not set")]
    assert found["account system"] == [("skipped", "ESG_ACCOUNTS_URL is not set")]
    assert found["database"][0][0] == "ok"


def test_with_a_wrong_setting_nothing_outside_is_touched(
    healthy: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    healthy.setenv("ESG_DATABASE_URL", "postgresql+psycopg://db.example.com/history")

    found = doctor(capsys, 1)

    assert "ESG_ENV is not set" in found["settings"][0][1]
    for check in ("records", "work", "database", "account system", "ESG API"):
        assert found[check] == [("skipped", "first put the settings right")]
    assert not (tmp_path / "home/work").exists()


def test_a_key_that_others_can_read_is_told(
    healthy: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], keys: Path, tmp_path: Path
) -> None:
    working = tmp_path / "demo-working.key"
    working.write_bytes((keys / "demo-working.key").read_bytes())
    working.chmod(0o644)
    healthy.setenv("ESG_WORKING_KEY", str(working))

    found = doctor(capsys, 1)

    assert [state for state, text in found["keys"] if str(working) in text] == ["wrong"]


def test_a_signing_key_that_nobody_verifies_is_told(
    healthy: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    generate(tmp_path / "others", "host", prefix=DEMO_PREFIX)
    healthy.setenv("ESG_VERIFY_KEYS", f"{tmp_path}/others/demo-signing.pub.pem")

    found = doctor(capsys, 1)

    wrong = [text for state, text in found["keys"] if state == "wrong"]
    assert len(wrong) == 1
    assert "ESG_VERIFY_KEYS does not have the public key of ESG_SIGNING_KEY; add it" in wrong[0]


def test_credentials_that_are_refused_are_told(
    healthy: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    healthy.setenv("ESG_API_CLIENT_SECRET", "wrong")

    found = doctor(capsys, 1)

    assert found["ESG API"][0][0] == "wrong"
    assert found["account system"][0][0] == "ok"


def test_an_api_that_is_not_there_is_told(
    healthy: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    healthy.setenv("ESG_API_AUTH", "none")
    healthy.setenv("ESG_API_URL", "http://127.0.0.1:9")

    state, text = doctor(capsys, 1)["ESG API"][0]

    assert state == "wrong"
    assert "did not answer (unavailable)" in text


def test_a_source_without_history_is_asked_for_today(
    healthy: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "accounts.csv").write_text(ACCOUNTS)
    healthy.setenv("ESG_ACCOUNTS_URL", str(tmp_path / "accounts.csv"))

    assert doctor(capsys, 0)["account system"][0][1].endswith(
        "keeps no history, so that it serves today only"
    )


def test_a_store_that_cannot_be_written_is_told(
    healthy: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    healthy.setenv("ESG_WORK_URL", str(tmp_path / "file"))

    assert doctor(capsys, 1)["work"][0][0] == "wrong"


def test_a_check_that_breaks_does_not_hide_the_others(
    healthy: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(url: str) -> None:
        raise KeyError(SECRET)

    healthy.setattr("esg_assets.adapters.database.opening.open_database", broken)

    found = doctor(capsys, 1)

    assert found["database"][0][0] == "wrong"
    assert found["database"][0][1].startswith("unexpected KeyError in test_cli_doctor.py:")
    assert found["ESG API"][0][0] == "ok"


def test_while_a_run_calls_the_api_the_doctor_does_not(
    healthy: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from esg_assets.adapters.leases import open_leases  # noqa: PLC0415 - beside its use

    with open_leases("sqlite:///x", tmp_path / "home/leases").hold("esg_api", "a run"):
        state, text = doctor(capsys, 0)["ESG API"][0]

    assert state == "skipped"
    assert "a run is calling it" in text
