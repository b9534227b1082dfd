"""`esg-assets doctor --repair` after real kills: what the chain names stays, and nothing else."""

import datetime as dt
import json
import os
import secrets
import signal
from dataclasses import dataclass
from pathlib import Path

import pytest

from esg_assets import store_choice
from esg_assets.adapters.chain_log import ChainLog
from esg_assets.adapters.keys import DEMO_PREFIX, Ed25519Signer, generate
from esg_assets.adapters.stores import open_store
from esg_assets.cli import main as cli
from esg_assets.composition import history, keyring, leases
from esg_assets.core.chain_bodies import Kind
from esg_assets.core.errors import Refused
from esg_assets.core.history import ChainHead
from esg_assets.core.store_care import TendedStore
from esg_assets.settings import Settings, load_settings
from esg_assets.stale_runs import lease_name
from esg_assets_tests.bucket_servers import GoogleServer
from esg_assets_tests.processes import line_from, python_process
from esg_assets_tests.servers import S3Server
from esg_assets_tests.unit.chain_material import publish_body, summary_body

DATE = "2026-01-15"

WRITER = """
import sys
from esg_assets.adapters import nameless_files
from esg_assets.adapters.stores import open_store
if sys.argv[3] == "named":
    nameless_files.open_nameless = lambda folder: None
store = open_store(sys.argv[1])
store.create(f"{sys.argv[2]}/{'d' * 32}.salt.esdk", b"whole, and named by no entry")
with store.writer(f"{sys.argv[2]}/{'e' * 32}.csv.esdk") as sink:
    for _ in range(20):
        sink.write(bytes(1 << 20))
    print("in the middle", flush=True)
    sys.stdin.read()
"""


@dataclass(frozen=True)
class House:
    """Stores with one published report, and the settings in force."""

    settings: Settings
    records: TendedStore
    work: TendedStore
    named: frozenset[str]

    def killed_in_the_middle(self, way: str = "named") -> None:
        """A real process, killed while it writes."""
        url = self.settings.store_url.get_secret_value()
        with python_process(WRITER, url, f"reports/{DATE}", way) as process:
            assert line_from(process) == "in the middle"
            process.send_signal(signal.SIGKILL)
            process.wait()

    def everything(self) -> tuple[set[str], list[str]]:
        """Keys of the records store, and names of what `keys` does not show."""
        return set(self.records.keys("")), [each.kind for each in self.records.leftovers()]


def _settings(monkeypatch: pytest.MonkeyPatch, folder: Path, **more: str) -> None:
    for name in [each for each in os.environ if each.startswith("ESG_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(folder)
    home = folder / "home"
    home.mkdir()
    (home / "dagster.yaml").touch()
    keys = generate_keys(folder)
    for name, value in {
        "DAGSTER_HOME": str(home),
        "ESG_ENV": "dev",
        "ESG_SIGNING_KEY": f"{keys}/demo-signing.pem",
        "ESG_WORKING_KEY": f"{keys}/demo-working.key",
        "ESG_REPORT_RECIPIENTS": f"{keys}/demo-recipient.pub.pem",
        **more,
    }.items():
        monkeypatch.setenv(name, value)


def generate_keys(folder: Path) -> Path:
    """Demo keys, the recipient's apart from nothing: this is `dev`."""
    generate(folder / "keys", prefix=DEMO_PREFIX)
    return folder / "keys"


@pytest.fixture(params=["local", "s3"])
def house(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    more: dict[str, str] = {}
    if request.param == "s3":
        server = request.getfixturevalue("s3_server")
        assert isinstance(server, S3Server)
        root = f"s3://{server.bucket}/{secrets.token_hex(6)}"
        more = {**server.environment, "ESG_STORE_URL": f"{root}/records", "ESG_WORK_URL": f"{root}/work"}
    _settings(monkeypatch, tmp_path, **more)
    settings = load_settings(tolerant=True)
    records, work = store_choice.records_store(settings), store_choice.work_store(settings)
    path = settings.signing_key.path if settings.signing_key else None
    assert path is not None
    chain = ChainLog(records, Ed25519Signer.from_file(path), keyring(settings), "dev")
    bodies = {Kind.PUBLISH: publish_body(DATE), Kind.SUMMARY: summary_body(DATE)}
    named = {"store_id", "chain/0000000001", "chain/0000000002"}
    for kind, body in bodies.items():
        for field in ("object", "salt"):
            if field in body:
                records.create(body[field]["key"], b"sealed")
                named.add(body[field]["key"])
        chain.append(kind, body, recorded_at=dt.datetime(2026, 1, 15, 12, tzinfo=dt.UTC))
    work.create(f"parts/{DATE}/0001/00000001", b"named by the publication")
    work.create(f"parts/{DATE}/0001/00000002", b"progress")
    work.create(f"handles/salt/{DATE}/{'c0' * 32}/00000001", b"of what is published")
    return House(settings, records, work, frozenset(named))


def _doctor(capsys: pytest.CaptureFixture[str], *options: str) -> list[tuple[str, str]]:
    """What it found of leftovers. Other checks have no systems here to ask."""
    assert cli.run(["doctor", "--json", *options]) == 1
    told = json.loads(capsys.readouterr().out)
    return [(each["state"], each["text"]) for each in told["checks"] if each["name"] == "leftovers"]


def test_after_a_kill_the_repair_leaves_exactly_what_the_chain_names(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    working = set(house.work.keys(""))
    house.work.create(f"handles/salt/{DATE}/{'d1' * 32}/00000001", b"of what never was published")
    house.work.create("doctor/1234", b"doctor")
    house.killed_in_the_middle()
    keys, unfinished = house.everything()
    assert len(keys - house.named) == 1
    assert len(unfinished) == 1

    ((state, text),) = _doctor(capsys, "--any-age")
    assert state == "warning"
    assert "--repair" in text
    assert house.everything() == (keys, unfinished)

    ((state, text),) = _doctor(capsys, "--repair", "--any-age")
    assert (state, text.partition(" ")[0]) == ("ok", "removed")
    assert house.everything() == (set(house.named), [])
    assert set(house.work.keys("")) == working
    assert _doctor(capsys, "--repair", "--any-age") == [("ok", "nothing was left behind by killed runs")]


def test_what_is_younger_than_a_day_is_left_alone(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    house.killed_in_the_middle()
    before = house.everything()
    ((state, text),) = _doctor(capsys, "--repair")
    assert state == "ok"
    assert "2 younger than a day left alone" in text
    assert house.everything() == before


def test_a_date_that_a_run_is_at_is_left_alone(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    house.killed_in_the_middle()
    before = house.everything()
    with leases(house.settings).hold(lease_name(DATE), "a run"):
        ((state, text),) = _doctor(capsys, "--repair", "--any-age")
    assert state == "skipped"
    assert "under way" in text
    assert house.everything() == before


def test_a_chain_that_does_not_verify_stops_the_repair(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    house.killed_in_the_middle()
    house.records.replace("chain/0000000002", b"{}\n{}\n")
    before = house.everything()
    ((state, _),) = _doctor(capsys, "--repair", "--any-age")
    assert state == "wrong"
    assert house.everything() == before


def test_a_chain_shorter_than_is_remembered_stops_the_repair(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    summary = f"summaries/{DATE}/{1:032x}.json.esdk"
    history(house.settings).remember_head(ChainHead(2, "0" * 64))
    house.records.delete("chain/0000000002")
    ((state, text),) = _doctor(capsys, "--repair", "--any-age")
    assert state == "wrong"
    assert "the chain has 1 entries, and 2 are remembered" in text
    house.records.delete("chain/0000000001")
    assert _doctor(capsys, "--repair", "--any-age") == [("ok", "nothing was left behind by killed runs")]
    assert summary in set(house.records.keys(""))


def test_a_killed_writer_of_nameless_files_leaves_nothing_to_repair(
    tmp_path: Path,
) -> None:
    url = str(tmp_path / "store")
    with python_process(WRITER, url, f"reports/{DATE}", "nameless") as process:
        assert line_from(process) == "in the middle"
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert open_store(url).leftovers() == []


def test_prod_keeps_no_records_in_a_bucket_without_versions(
    s3_server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"s3://{s3_server.bucket}/{secrets.token_hex(6)}"
    _settings(monkeypatch, tmp_path, **s3_server.environment, ESG_STORE_URL=url)
    store_choice.require_guarded_records(load_settings(tolerant=True))  # dev
    settings = load_settings(tolerant=True).model_copy(update={"env": "prod"})
    with pytest.raises(Refused, match="keeps no versions") as caught:
        store_choice.require_guarded_records(settings)
    assert s3_server.bucket not in str(caught.value)
    assert list(open_store(url).keys("")) == []


def test_prod_keeps_no_records_in_a_public_bucket_and_dev_is_warned(
    google_server: GoogleServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    url = f"gs://{google_server.bucket}/{secrets.token_hex(6)}"
    _settings(monkeypatch, tmp_path, **google_server.environment, ESG_STORE_URL=url)
    settings = load_settings(tolerant=True).model_copy(update={"env": "prod"})
    with pytest.raises(Refused, match="without credentials"):
        store_choice.require_guarded_records(settings)
    assert cli.run(["doctor", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert [each["state"] for each in told["checks"] if each["name"] == "records' bucket"] == ["warning"]
