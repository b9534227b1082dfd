"""Real processes, over real HTTP, on bad nights: no account, score or secret is left anywhere in the clear.

Searched are DAGSTER_HOME, the stores, everything that was printed, and the command lines and run tags of the
processes while they ran. pipeline/test_secrets_in_events.py does the same from inside, with errors that no
server can cause.
"""

import csv
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest

from esg_assets.simulators.options import Options
from esg_assets.simulators.server import SimulatorServer
from esg_assets_tests.e2e.installation import DAY, Installation
from esg_assets_tests.leak_search import assert_no_leak, find_leaks
from esg_assets_tests.token_server import token_answer, token_server

CLIENT = "nightly-client"
CLIENT_SECRET, PASSWORD = "s3cr3t-of-the-client", "p4ssword-of-a-database"
TOKEN = "t0ken-that-every-run-is-given"
FAULTS = (
    "wrong_id=0.06/sticky,out_of_range=0.06/sticky,truncated=0.06/sticky,not_json=0.04/sticky,403=0.04,"
    "timeout=0.02/sticky,reset=0.02/sticky,422=0.04,duplicate_keys=0.04/sticky,401=0.02/call"
)
NAME = "Zacharias Quaestor"
COUNT = 120


@dataclass
class Ground:
    """An installation, a provider that wants a token, and what both know of clients."""

    house: Installation
    server: SimulatorServer
    accounts: Path
    ids: list[str]
    names: list[str]
    scores: list[str]
    seen: dict[str, bytes]

    @property
    def needles(self) -> list[str]:
        """What must not be anywhere: secrets, the token that runs were given, and the clients' data."""
        keys = [
            path.read_text().splitlines()[1]
            for path in (self.house.home / "keys").glob("*.pem")
            if ".pub" not in path.name
        ]
        return [*self.ids, *self.names, *self.scores, CLIENT_SECRET, PASSWORD, TOKEN, *keys]

    @property
    def folders(self) -> list[Path]:
        """Where is searched: everything but the keys themselves."""
        return [path for path in self.house.home.iterdir() if path.name != "keys"]

    @property
    def texts(self) -> dict[str, str | bytes]:
        """What was printed by every command but those that are asked for an account, and command lines."""
        printed = {
            f"{part} of {' '.join(done.arguments)} ({number})": text
            for number, done in enumerate(self.house.ended)
            for part, text in (("output", done.out), ("errors", done.err))
        }
        return {**printed, **self.seen}

    def run(self, *arguments: str, status: int, **settings: str) -> None:
        """A command, with a look at its command line."""
        with self.house.started(*arguments, **settings) as process:
            command = Path(f"/proc/{process.pid}/cmdline")
            while process.process.poll() is None and not self.seen.get(str(command)):
                self.seen[str(command)] = command.read_bytes()
            done = process.end()
        self.house.ended.append(done)
        assert done.status == status, done


def _accounts(path: Path, ids: list[str], names: list[str]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["account_id", "status", "account_name", "account_type", "market_value"])
        writer.writerows((i, "active", n, "ira", "48151.62") for i, n in zip(ids, names, strict=True))


def _ratings(path: Path, ids: list[str]) -> list[str]:
    # Eight decimals: with fewer, the seconds of some time stamp were taken for a score.
    scores = [f"{10 + number * 0.51830067:.8f}" for number in range(len(ids))]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        pillars = ["environmental_score", "social_score", "governance_score"]
        writer.writerow(["account_id", "as_of", "overall_score", *pillars, "primary_focus"])
        writer.writerows((i, "2025-12-31", s, s, s, s, "social") for i, s in zip(ids, scores, strict=True))
    return scores


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    folder = tmp_path_factory.mktemp("leaks")
    ids = [f"KDNR-{number:04d}/x" for number in range(COUNT)]
    names = [f"{NAME} {number}" for number in range(COUNT)]
    accounts = folder / "accounts.csv"
    _accounts(accounts, ids, names)
    scores = _ratings(folder / "ratings.csv", ids[:-5])
    options = Options(
        ratings_file=str(folder / "ratings.csv"),
        faults=FAULTS,
        auth="oauth2,bearer",
        bearer_token=TOKEN,
        client_id=CLIENT,
        client_secret=CLIENT_SECRET,
    )
    given = [token_answer(TOKEN, expires_in=3_600)] * 100
    with SimulatorServer(options) as server, token_server(given) as issuer:
        house = Installation.new(
            folder / "home",
            server.url,
            ESG_ACCOUNTS_URL=str(accounts),
            ESG_API_AUTH="oauth2",
            ESG_API_TOKEN_URL=issuer.url,
            ESG_API_CLIENT_ID=CLIENT,
            ESG_API_CLIENT_SECRET=CLIENT_SECRET,
            ESG_API_TIMEOUT_SECONDS="1",
            ESG_API_MAX_ATTEMPTS="2",
        )
        ground = Ground(house, server, accounts, ids, names, scores, {})
        _bad_nights(ground)
        yield ground


def _bad_nights(ground: Ground) -> None:
    """One night that ends well enough, and every way in which one does not."""
    now = "--current-accounts"
    ground.run("run", "--date", DAY, now, status=0)
    ground.run("run", "--date", DAY, now, "--refresh", "all", "--reason", "asked again", status=0)
    ground.run("run", "--date", "2026-01-14", status=1)  # no history
    # At the simulators' own token endpoint, where this is no client's secret.
    endpoint = {"ESG_API_TOKEN_URL": f"{ground.server.url}/oauth2/token"}
    ground.run("run", "--date", "2026-01-16", now, status=1, ESG_API_CLIENT_SECRET=PASSWORD, **endpoint)
    ground.run("run", "--date", "2026-01-17", now, status=2, ESG_API_CLIENT_SECRET="")
    ground.server.order_faults("403")
    ground.run("run", "--date", "2026-01-18", now, status=1)
    ground.server.order_faults("404")
    ground.run("run", "--date", "2026-01-20", now, status=1)
    ground.server.order_faults("")
    broken = ground.accounts.with_name("broken.csv")
    _accounts(broken, [*ground.ids, *ground.ids[:3], "\u202eKDNR"], [*ground.names, *ground.names[:4]])
    ground.run("run", "--date", "2026-01-21", now, status=1, ESG_ACCOUNTS_URL=str(broken))
    nobody = f"postgresql+psycopg://esg:{PASSWORD}@127.0.0.1:9/accounts"
    ground.run("run", "--date", "2026-01-22", status=1, ESG_ACCOUNTS_URL=nobody)
    ground.run("status", "--date", "2026-01-22", status=1)
    ground.run("report", "verify", "--json", status=0)


def test_nothing_is_left_in_the_clear(ground: Ground) -> None:
    rows = ground.house.rows()
    assert {"SUCCESS", "NOT_RATED", "FAILED"} == {row["processing_status"] for row in rows.values()}
    assert_no_leak(ground.needles, folders=ground.folders, texts=ground.texts)


def test_the_bad_nights_said_what_was_wrong(ground: Ground) -> None:
    told = "\n".join(done.out + done.err for done in ground.house.ended)
    for words in ("--current-accounts", "ESG_NOT_RATED_RATE_BLOCK", "account_id", "ESG_API_CLIENT_SECRET"):
        assert words in told
    assert "Traceback" not in told


def test_planted_leaks_are_found_by_the_same_search(ground: Ground) -> None:
    planted = [ground.ids[7], ground.names[7], ground.scores[7], CLIENT_SECRET, TOKEN]
    # As whoever tags a run in the UI may do: a reason on the command line is refused before it is kept.
    with dg.DagsterInstance.from_config(str(ground.house.home)) as instance:
        (run,) = instance.get_runs(limit=1)
        instance.add_run_tags(run.run_id, {"planted": f"because of {', '.join(planted)}"})
    found = find_leaks(ground.needles, folders=ground.folders)
    assert {each.needle for each in found} == set(planted)
    assert any(os.fspath(ground.house.home / "history") in each.where for each in found)
