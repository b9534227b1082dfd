"""Libraries that log or print what they carry, and exceptions that nobody catches."""

import json
import logging
import os
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import dagster as dg
import pytest

from esg_assets import composition
from esg_assets.settings import load_settings
from esg_assets.simulators.options import Options
from esg_assets.simulators.server import SimulatorServer
from esg_assets_tests.canaries import account_modes
from esg_assets_tests.canaries.ground import Ground
from esg_assets_tests.canaries.mode import Mode
from esg_assets_tests.canaries.planted import Canary
from esg_assets_tests.processes import seen_of
from esg_assets_tests.raw_server import answer, raw_server, sends
from esg_assets_tests.token_server import token_answer, token_server
from esg_assets_tests.unit.test_settings_secrets_manager import FakeSecretsManager

LOGGERS = (
    *("esg_assets.x", "dagster.x", "root", "urllib3.connectionpool", "requests", "sqlalchemy.engine.Engine"),
    *(
        "botocore.endpoint",
        "boto3",
        "psycopg",
        "pyreqwest",
        "obstore",
        "aws_encryption_sdk",
        "alembic",
        "asyncio",
    ),
)
_NOW = {"active_accounts": {"current_accounts": True}}


def _loggers(ground: Ground, canary: Canary) -> None:
    """Every logger there may be, with an exception, and those that are not ours with arguments too."""
    for name in LOGGERS:
        logger = logging.getLogger(None if name == "root" else name)
        try:
            canary.blow()
        except ValueError:
            logger.exception("failed")
            logger.debug("failed", exc_info=True)
        if not name.startswith(("esg_assets", "dagster")):
            logger.warning("%s of %r", canary.text, canary.rows())
            logger.debug(canary.text)
        logger.error("with %s", f"Authorization: Bearer {canary.token}")
    assert "text withheld" in (ground.written / "debug.log").read_text(encoding="utf-8")


def _in_an_op(ground: Ground, canary: Canary) -> None:
    """What code of ours may do in a step: log an exception through Dagster."""

    @dg.op
    def talkative(context: dg.OpExecutionContext) -> None:
        try:
            canary.blow()
        except ValueError:
            context.log.exception("failed")
            dg.get_dagster_logger().exception("failed as well")

    @dg.job
    def logging_job() -> None:
        talkative()

    assert logging_job.execute_in_process(instance=ground.house.instance).success


def _good_http(ground: Ground, canary: Canary) -> None:
    body = json.dumps({"accounts": canary.rows(), "next_cursor": None}).encode()
    with raw_server(sends(answer(200, body, content_type="application/json"))) as server:
        settings = ground.settings(
            ESG_ACCOUNTS_URL=server.url, ESG_ACCOUNTS_AUTH="bearer", ESG_ACCOUNTS_TOKEN=canary.token
        )
        source = composition.account_source(settings)
        assert ground.run(canary, account_source=source, config=_NOW).success
    assert "urllib3" in (ground.written / "debug.log").read_text(encoding="utf-8")


def _good_sql(ground: Ground, canary: Canary) -> None:
    import sqlite3  # noqa: PLC0415  # beside its use

    path = ground.inputs / f"{canary.number}.sqlite"
    with sqlite3.connect(path) as database:
        columns = ", ".join(canary.rows()[0])
        database.execute(f"CREATE TABLE active_accounts ({columns})")
        marks = ", ".join("?" * len(canary.rows()[0]))
        database.executemany(
            f"INSERT INTO active_accounts VALUES ({marks})", [tuple(row.values()) for row in canary.rows()]
        )
    database.close()
    source = composition.account_source(ground.settings(ESG_ACCOUNTS_URL=f"sqlite:///{path}"))
    assert ground.run(canary, account_source=source, config=_NOW).success
    told = (ground.written / "debug.log").read_text(encoding="utf-8")
    assert "sqlalchemy.engine.Engine Row <" in told, "rows were logged, by their types"


def _good_token(ground: Ground, canary: Canary) -> None:
    options = Options(any_account=True, auth="bearer", bearer_token=canary.token)
    with SimulatorServer(options) as server, token_server([token_answer(canary.token)]) as issuer:
        settings = ground.settings(
            ESG_API_URL=server.url,
            ESG_API_AUTH="oauth2",
            ESG_API_TOKEN_URL=issuer.url,
            ESG_API_CLIENT_ID="nightly",
            ESG_API_CLIENT_SECRET=canary.client_secret,
        )
        assert ground.run(canary, esg_api=composition.ratings_api(settings)).success


def _secrets_manager(ground: Ground, canary: Canary) -> None:
    server = FakeSecretsManager({"esg/api": json.dumps({"key": canary.api_key})})
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in {
                "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}",
                "AWS_DEFAULT_REGION": "us-east-2",
                "AWS_ACCESS_KEY_ID": canary.token,
                "AWS_SECRET_ACCESS_KEY": canary.client_secret,
                "AWS_EC2_METADATA_DISABLED": "true",
            }.items():
                patch.setenv(name, value)
            wanted = ground.environ(ESG_API_KEY="aws-secretsmanager://esg/api#key")
            found = load_settings(environ={**os.environ, **wanted}, dotenv=None, tolerant=True)
            assert found.api_key is not None
            assert found.api_key.get_secret_value() == canary.api_key
            missing = ground.environ(ESG_API_KEY=f"aws-secretsmanager://{canary.client_secret}#x")
            assert load_settings(environ={**os.environ, **missing}, dotenv=None, tolerant=True).faults
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert "botocore" in (ground.written / "debug.log").read_text(encoding="utf-8")


def _child(ground: Ground, canary: Canary, program: str, **environ: str) -> None:
    """A program in a process of its own, which may end as it likes; what it wrote is searched."""
    script = ground.inputs / f"{canary.number}.py"
    script.write_text(textwrap.dedent(program), encoding="utf-8")
    variables = {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[2]), **environ}
    done = subprocess.run(
        [sys.executable, str(script)],
        env=variables,
        cwd=ground.written / "cwd",
        capture_output=True,
        check=False,
    )
    ground.texts |= {f"child {canary.number} out": done.stdout, f"child {canary.number} err": done.stderr}
    assert b"SyntaxError" not in done.stderr
    assert b"driven" in done.stdout, done.stderr


def _uncaught(ground: Ground, canary: Canary) -> None:
    program = f"""
        import threading
        from esg_assets.adapters import logs
        from esg_assets_tests.canaries.planted import Canary
        logs.install()
        canary = Canary({canary.number})
        class Dropped:
            __del__ = canary.blow
        thread = threading.Thread(target=canary.blow)
        thread.start(); thread.join()
        Dropped()
        print("driven")
        canary.blow()
    """
    _child(ground, canary, program)


def _rust(ground: Ground, canary: Canary) -> None:
    """Both libraries that are written in Rust, told to log all they can."""
    with raw_server(sends(answer(503, canary.body))) as server:
        program = f"""
            import datetime, logging
            from esg_assets import composition
            from esg_assets.adapters import logs
            from esg_assets.adapters.authorization import Bearer
            from esg_assets.adapters.esg_api.client import HttpEsgApi
            from esg_assets.core.ports import CallPolicy
            import obstore
            from obstore.store import S3Store
            from esg_assets_tests.canaries.planted import Canary
            logs.install()
            logging.basicConfig(level=logging.DEBUG)
            canary = Canary({canary.number})
            api = HttpEsgApi("{server.url}", Bearer(canary.token), CallPolicy())
            api.ask(canary.ids[3], datetime.date(2026, 1, 14))
            api.close()
            store = S3Store("bucket", endpoint="{server.url}", access_key_id=canary.token,
                secret_access_key=canary.client_secret, client_options={{"allow_http": True}},
                retry_config={{"max_retries": 0}})
            print("driven", flush=True)
            obstore.put(store, "reports/x", canary.text.encode())
        """
        _child(ground, canary, program, RUST_LOG="trace", RUST_BACKTRACE="full")


def _real_process(ground: Ground, canary: Canary) -> None:
    """`esg-assets run` as it is started: its command line while it runs, and what it prints."""
    path = ground.inputs / f"{canary.number}.csv"
    path.write_bytes(account_modes.csv_of(canary))
    variables = ground.environ(
        ESG_ACCOUNTS_URL=str(path),
        ESG_API_AUTH="api_key",
        ESG_API_KEY=canary.api_key,
        ESG_FIRST_DATE="2026-01-01",
    )
    program = str(Path(sys.executable).with_name("esg-assets"))
    arguments = [program, "run", "--date", str(ground.day(canary)), "--current-accounts"]
    process = subprocess.Popen(
        arguments,
        env={"PATH": os.environ["PATH"], "TMPDIR": str(ground.written / "tmp"), **variables},
        cwd=ground.written / "cwd",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    seen = seen_of(process, "cmdline")
    out, _ = process.communicate()
    ground.texts |= {f"command line {canary.number}": seen, f"output {canary.number}": out}
    assert process.returncode == 1, out
    assert b"not published" in out


MODES = [
    Mode("every logger there may be: exceptions, arguments, messages put together", _loggers),
    Mode("an exception that a step logs through Dagster", _in_an_op),
    Mode("urllib3 and requests at DEBUG", _good_http),
    Mode("SQLAlchemy at DEBUG, which logs rows", _good_sql),
    Mode("an OAuth 2.0 token on a night on which all goes well", _good_token),
    Mode("boto at DEBUG, with Secrets Manager", _secrets_manager),
    Mode("obstore and pyreqwest with RUST_LOG=trace", _rust),
    Mode("exceptions that nobody catches: main thread, another thread, a destructor", _uncaught),
    Mode("a real process: command line and output", _real_process),
]
