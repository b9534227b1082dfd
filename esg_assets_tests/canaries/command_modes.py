"""Commands of ours, right and wrong, with and without --json and --traceback, secrets in every setting."""

from collections.abc import Sequence
from urllib.parse import quote

import pytest

from esg_assets.cli import main as cli
from esg_assets_tests.canaries.ground import Ground
from esg_assets_tests.canaries.mode import Mode
from esg_assets_tests.canaries.planted import Canary


def _secrets(canary: Canary) -> dict[str, str]:
    """Every secret setting there is, with a canary in it."""
    password = quote(canary.password, safe="")
    return {
        "ESG_ACCOUNTS_URL": f"postgresql+psycopg://esg:{password}@127.0.0.1:9/accounts",
        "ESG_ACCOUNTS_TOKEN": canary.token,
        "ESG_ACCOUNTS_API_KEY": canary.api_key,
        "ESG_ACCOUNTS_CLIENT_SECRET": canary.client_secret,
        "ESG_API_AUTH": "oauth2",
        "ESG_API_TOKEN_URL": "http://127.0.0.1:9/token",
        "ESG_API_CLIENT_ID": "nightly",
        "ESG_API_CLIENT_SECRET": canary.client_secret,
        "ESG_API_KEY": canary.api_key,
        "ESG_API_BEARER_TOKEN": canary.token,
        "ESG_API_PROXY": f"http://esg:{password}@127.0.0.1:9",
        "ESG_SMTP_URL": f"smtps://esg:{password}@127.0.0.1:9",
        "ESG_ALERT_EMAIL_FROM": "esg@firm.example",
        "ESG_PAGERDUTY_ROUTING_KEY": canary.api_key,
        "ESG_SLACK_WEBHOOK_URL": f"https://hooks.firm.example/{canary.token}/{canary.api_key}",
        "ESG_HEARTBEAT_URL": f"https://beats.firm.example/{canary.token}?key={canary.api_key}",
        "ESG_METRICS_PUSH_URL": f"https://esg:{password}@metrics.firm.example",
        "ESG_PSEUDONYM_KEY": canary.client_secret,
    }


def _command(
    name: str,
    arguments: Sequence[str],
    status: int,
    *,
    patched: str = "",
    wrong: Sequence[str] = (),
    **more: str,
) -> Mode:
    """A command line, in this process, with every secret set; it must end with `status`.

    Args:
        name: for the table.
        arguments: of the command line.
        status: its exit status.
        patched: what raises an error with everything in its text, as `module.name`.
        wrong: settings that hold everything where something else is wanted.
        more: further settings.
    """

    def drive(ground: Ground, canary: Canary) -> None:
        variables = ground.environ(**{**_secrets(canary), **more, **dict.fromkeys(wrong, canary.text)})
        with pytest.MonkeyPatch.context() as patch:
            for variable, value in variables.items():
                patch.setenv(variable, value)
            if patched:
                patch.setattr(f"esg_assets.{patched}", canary.blow)
            known = {"inputs": ground.inputs, "day": ground.day(canary), "id": canary.ids[3]}
            given = [each.format(**known) for each in arguments]
            assert cli.run(given) == status

    return Mode(f"command: {name}", drive)


def _key_file(ground: Ground, canary: Canary) -> None:
    """Key files that hold texts, as a slip of copying makes them."""
    path = ground.inputs / f"{canary.number}.pem"
    path.write_text(
        f"-----BEGIN PRIVATE KEY-----\n{canary.text}\n-----END PRIVATE KEY-----\n", encoding="utf-8"
    )
    path.chmod(0o600)
    for setting in ("ESG_WORKING_KEY", "ESG_SIGNING_KEY", "ESG_REPORT_RECIPIENTS"):
        settings = ground.settings(**{setting: str(path)})
        ran = ground.run(canary, settings=settings)
        assert not ran.success
        told = [str(entry.dagster_event) for entry in ground.house.instance.all_logs(ran.run.run_id)]
        assert any("SettingsWrong" in each or "key" in each for each in told)


_STORE_BROKEN = {"patched": "composition.SealedStores"}
_PRUNING_BROKEN = {"patched": "adapters.database.pruning.SqlPruning.forget_runs"}
MODES = [
    _command("settings", ["settings"], 0),
    _command("settings --json", ["settings", "--json"], 0),
    _command(
        "settings that are wrong", ["run"], 2, wrong=["ESG_API_PROXY", "ESG_API_URL", "ESG_DATABASE_URL"]
    ),
    _command(
        "settings that are wrong, --json", ["run", "--json"], 2, wrong=["ESG_SMTP_URL", "ESG_ACCOUNTS_URL"]
    ),
    _command("numbers that are none", ["run", "--json"], 2, wrong=["ESG_API_RATE_LIMIT", "ESG_MIN_CELL"]),
    _command("doctor, nobody answers", ["doctor"], 1),
    _command("doctor --json, nobody answers", ["doctor", "--json"], 1),
    _command("doctor, everything breaks", ["doctor"], 1, patched="composition.ratings_api"),
    _command("status", ["status", "--date", "{day}"], 1),
    _command("status --json", ["status", "--date", "{day}", "--json"], 1),
    _command("status, the database breaks", ["status"], 1, patched="composition.history"),
    _command(
        "status --traceback, the database breaks", ["status", "--traceback"], 1, patched="composition.history"
    ),
    _command(
        "run --traceback, leases break",
        ["run", "--date", "{day}", "--traceback"],
        1,
        patched="composition.leases",
    ),
    _command(
        "run --json, leases break", ["run", "--date", "{day}", "--json"], 1, patched="composition.leases"
    ),
    _command("run with a date that is none", ["run", "--date", "2026-13-99"], 2),
    _command("run --json, an id where a choice is wanted", ["run", "--refresh", "{id}", "--json"], 2),
    _command("history prune", ["history", "prune"], 0),
    _command(
        "history prune --json, the database breaks", ["history", "prune", "--json"], 1, **_PRUNING_BROKEN
    ),
    _command(
        "history prune --traceback, the same", ["history", "prune", "--traceback"], 1, **_PRUNING_BROKEN
    ),
    _command("report list, the store breaks", ["report", "list", "--traceback"], 1, **_STORE_BROKEN),
    _command("report verify, the store breaks", ["report", "verify", "--json"], 1, **_STORE_BROKEN),
    _command("a command that there is not", ["rum"], 2),
    Mode("key files that hold something else", _key_file),
]
