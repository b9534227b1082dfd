"""The account system: rows that break a rule, and sources that fail, over HTTP, SQL and files."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing

import pyarrow as pa
import pyarrow.parquet as pq

from esg_assets import composition
from esg_assets_tests.canaries.ground import Ground
from esg_assets_tests.canaries.mode import Mode
from esg_assets_tests.canaries.planted import Canary
from esg_assets_tests.raw_server import answer, raw_server, sends

Field = Callable[[Canary], object]


def _row(name: str, field: str, value: Field) -> Mode:
    def drive(ground: Ground, canary: Canary) -> None:
        rows = canary.rows()
        rows[7] = {**rows[7], field: value(canary)}
        assert "row 8" in ground.run(canary, rows=rows).failure

    return Mode(f"account list: {name}", drive)


ROWS = [
    _row("an id twice", "account_id", lambda c: c.ids[3]),
    _row("no id", "account_id", lambda c: ""),
    _row("an id with a control character", "account_id", lambda c: f"{c.ids[7]}\n{c.names[7]}"),
    _row("an id that is a number", "account_id", lambda c: float(c.scores[7])),
    _row("an amount in words", "market_value", lambda c: f"{c.values[7]} USD"),
    _row("a currency that is none", "base_currency", lambda c: c.names[7]),
    _row("a name that is an object", "account_name", lambda c: {"name": c.names[7], "id": c.ids[7]}),
    _row("a status that nobody knows", "status", lambda c: c.names[7]),
    _row("a type that is a list", "account_type", lambda c: [c.ids[7], c.names[7]]),
]


def _source(ground: Ground, canary: Canary, **settings: str) -> None:
    """A run over the real source that the settings choose; it must fail."""
    chosen = ground.settings(**settings)
    source = composition.account_source(chosen)
    now = {"active_accounts": {"current_accounts": True}}
    ran = ground.run(canary, account_source=source, config=now)
    assert not ran.success
    assert ran.failure


def _http(name: str, sent: Callable[[Canary], bytes]) -> Mode:
    def drive(ground: Ground, canary: Canary) -> None:
        with raw_server(sends(sent(canary))) as server:
            _source(
                ground,
                canary,
                ESG_ACCOUNTS_URL=server.url,
                ESG_ACCOUNTS_AUTH="bearer",
                ESG_ACCOUNTS_TOKEN=canary.token,
            )

    return Mode(f"accounts over HTTP: {name}", drive)


def _listed(canary: Canary, **more: object) -> bytes:
    return json.dumps({"accounts": canary.rows(), "next_cursor": None, **more}).encode()


HTTP = [
    _http("403 with a body", lambda c: answer(403, c.body)),
    _http("401 that repeats the token", lambda c: answer(401, c.body, www_authenticate=f"Bearer {c.token}")),
    _http("400 with a body", lambda c: answer(400, c.body)),
    _http("a page that is no JSON", lambda c: answer(200, b"<html>" + c.body, content_type="text/html")),
    _http("a page cut short", lambda c: answer(200, _listed(c)[:-30])),
    _http("a page of another shape", lambda c: answer(200, json.dumps([c.rows()]).encode())),
    _http("a wrong total", lambda c: answer(200, _listed(c, total=99))),
    _http(
        "a redirect with a password in it",
        lambda c: answer(302, location=f"https://esg:{c.token}@elsewhere.invalid/{c.api_key}"),
    ),
    _http("a header line without end", lambda c: b"HTTP/1.1 200 OK\r\nx: " + c.text.encode() * 300),
]


def _sql(
    name: str, prepare: Callable[[sqlite3.Connection, Canary], None], query: Callable[[Canary], str]
) -> Mode:
    def drive(ground: Ground, canary: Canary) -> None:
        path = ground.inputs / f"{canary.number}.sqlite"
        with closing(sqlite3.connect(path)) as database:
            prepare(database, canary)
            database.commit()
        _source(ground, canary, ESG_ACCOUNTS_URL=f"sqlite:///{path}", ESG_ACCOUNTS_QUERY=query(canary))

    return Mode(f"accounts by SQL: {name}", drive)


def _table(database: sqlite3.Connection, canary: Canary) -> None:
    database.execute("CREATE TABLE active_accounts (account_id, account_name, market_value, status)")
    for row in canary.rows():
        values = [row[name] for name in ("account_id", "account_name", "market_value", "status")]
        database.execute("INSERT INTO active_accounts VALUES (?, ?, ?, ?)", values)
    database.execute(
        "UPDATE active_accounts SET market_value = ? WHERE account_id = ?", [canary.text, canary.ids[3]]
    )


def _refused(ground: Ground, canary: Canary) -> None:
    _source(ground, canary, ESG_ACCOUNTS_URL=canary.url)


def _unknown_table(canary: Canary) -> str:
    return f"SELECT '{canary.ids[3]}' AS account_id, '{canary.names[3]}' FROM nowhere"


SQL = [
    Mode("accounts by SQL: a server that does not answer, its password in the URL", _refused),
    _sql("a row with another text for an amount", _table, lambda c: "SELECT * FROM active_accounts"),
    _sql("a query that is wrong", lambda d, c: None, _unknown_table),
    _sql(
        "a column twice",
        _table,
        lambda c: (
            f"SELECT account_id, account_name AS account_id FROM active_accounts WHERE '{c.ids[1]}' <> ''"
        ),
    ),
]


def _file(name: str, suffix: str, content: Callable[[Canary], bytes]) -> Mode:
    def drive(ground: Ground, canary: Canary) -> None:
        path = ground.inputs / f"{canary.number}.{suffix}"
        path.write_bytes(content(canary))
        _source(ground, canary, ESG_ACCOUNTS_URL=str(path))

    return Mode(f"accounts in a file: {name}", drive)


def csv_of(canary: Canary) -> bytes:
    """The account list as a CSV file."""
    lines = [",".join(map(str, row.values())) for row in canary.rows()]
    return "\n".join([",".join(canary.rows()[0]), *lines, ""]).encode()


def _parquet(canary: Canary) -> bytes:
    sink = pa.BufferOutputStream()
    rows = canary.rows()
    table = pa.table(
        {"account_id": [r["account_id"] for r in rows], "account_name": [float(s) for s in canary.scores]}
    )
    pq.write_table(table.append_column("status", pa.array(canary.names)), sink)
    return bytes(sink.getvalue().to_pybytes())


FILES = [
    _file(
        "a CSV with a cell too many", "csv", lambda c: csv_of(c) + f"{c.text},{c.ids[2]},a,b,c,d,e\n".encode()
    ),
    _file(
        "a CSV with a quote without end", "csv", lambda c: csv_of(c) + f'"{c.names[2]}, {c.ids[2]}'.encode()
    ),
    _file("a CSV that is no UTF-8", "csv", lambda c: csv_of(c) + c.names[2].encode("latin-1") + b"\xff\n"),
    _file(
        "a CSV without the columns wanted", "csv", lambda c: f"{c.ids[1]},{c.names[1]}\n".encode() + csv_of(c)
    ),
    _file("a Parquet file that is none", "parquet", lambda c: b"PAR1" + c.body + b"PAR1"),
    _file("a Parquet file of other types", "parquet", _parquet),
]

MODES = [*ROWS, *HTTP, *SQL, *FILES]
