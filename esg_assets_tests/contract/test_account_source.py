"""What every account source promises (port AccountSource): HTTP, real databases, files, S3, and the fake."""

import csv
import io
import itertools
import secrets
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import date
from pathlib import Path

import obstore
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from obstore.store import S3Store

from esg_assets.adapters.account_sources import PagePolicy, open_account_source
from esg_assets.core.account_rows import AccountsBuilder
from esg_assets.core.errors import NoHistory, SourceUnavailable
from esg_assets.core.ports import AccountSource
from esg_assets_tests.adapters.page_server import PageServer
from esg_assets_tests.fakes import FakeAccountSource
from esg_assets_tests.servers import S3Server

DAY = date(2026, 1, 14)
COLUMNS = ("account_id", "status", "account_name", "account_type", "base_currency", "market_value")
NASTY_IDS = [
    "/",
    "..",
    ".",
    "a b",
    " a",
    "'",
    '"',
    "a,b",
    ";",
    "=SUM(1)",
    "客户",
    "é",
    "e\u0301",
    "0001",
    "1",
    "x" * 64,
]
NASTY_IDS += [
    "客" * 64,
    "🏦",
    "%2F",
    "%",
    "\\",
    "null",
    "NaN",
    "TRUE",
    "2026-01-14",
    "1e5",
    "--",
    ":as_of",
    "<b>&",
]

Row = Mapping[str, str]


def row(account_id: str, status: str = "active") -> Row:
    return dict(
        zip(COLUMNS, [account_id, status, f"Name, of\n{account_id}", "ira", "USD", "198985.67"], strict=True)
    )


class Firm(ABC):
    """A firm whose account system is of one kind."""

    history = False

    @abstractmethod
    def source(self, rows: Sequence[Row]) -> AccountSource:
        """The firm's account system, holding `rows` in that order (now and at the end of DAY)."""

    @abstractmethod
    def absent(self) -> AccountSource:
        """One that is not there."""


class HttpFirm(Firm):
    history = True

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    def source(self, rows: Sequence[Row]) -> AccountSource:
        server = self._stack.enter_context(PageServer(rows))
        server.page_size = 1000
        return open_account_source(server.url)

    def absent(self) -> AccountSource:
        return open_account_source("http://127.0.0.1:9", policy=PagePolicy(max_attempts=1))


class SqlFirm(Firm):
    history = True

    def __init__(self, url: str, absent: str) -> None:
        self._url, self._absent = url, absent

    def source(self, rows: Sequence[Row]) -> AccountSource:
        engine = sa.create_engine(self._url, poolclass=sa.NullPool)
        columns = ", ".join(f"{name} TEXT" for name in COLUMNS)
        with engine.begin() as connection:
            connection.exec_driver_sql(f"CREATE TABLE accounts (place INTEGER, valid_from DATE, {columns})")
            values = [{"place": i, "valid_from": DAY, **row} for i, row in enumerate(rows)]
            if values:
                table = sa.table("accounts", *map(sa.column, values[0]))
                connection.execute(table.insert(), values)
        query = f"SELECT {', '.join(COLUMNS)} FROM accounts WHERE valid_from <= :as_of ORDER BY place"
        return open_account_source(self._url, query=query)

    def absent(self) -> AccountSource:
        return open_account_source(self._absent)


class FileFirm(Firm):
    def __init__(self, folder: str, suffix: str, server: S3Server | None = None) -> None:
        self._folder, self._suffix, self._server = folder, suffix, server

    def source(self, rows: Sequence[Row]) -> AccountSource:
        content = csv_bytes(rows) if self._suffix == "csv" else parquet_bytes(rows)
        name = f"accounts.{self._suffix}"
        if self._server is None:
            (Path(self._folder) / name).write_bytes(content)
            return open_account_source(f"{self._folder}/{name}")
        config = {key.lower(): value for key, value in self._server.environment.items()}
        store = S3Store(self._server.bucket, config=config)  # type: ignore[arg-type]  # a TypedDict, made at run time
        obstore.put(store, f"{self._folder}/{name}", content)
        return self._opened(name)

    def absent(self) -> AccountSource:
        return self._opened(f"absent.{self._suffix}")

    def _opened(self, name: str) -> AccountSource:
        if self._server is None:
            return open_account_source(f"{self._folder}/{name}")
        url = f"s3://{self._server.bucket}/{self._folder}/{name}"
        return open_account_source(url, storage_options=self._server.environment)


class FakeFirm(Firm):
    def source(self, rows: Sequence[Row]) -> AccountSource:
        return FakeAccountSource(rows)

    def absent(self) -> AccountSource:
        source = FakeAccountSource()
        source.error = SourceUnavailable("The account system does not answer.")
        return source


def csv_bytes(rows: Sequence[Row]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def parquet_bytes(rows: Sequence[Row]) -> bytes:
    schema = pa.schema([(name, pa.string()) for name in COLUMNS])
    content = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([dict(row) for row in rows], schema), content)
    return content.getvalue()


@pytest.fixture(params=["http", "sqlite", "postgresql", "csv", "parquet", "s3 csv", "s3 parquet", "fake"])
def firm(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Firm]:
    where, _, suffix = request.param.partition(" ")
    with ExitStack() as stack:
        match where:
            case "http":
                yield HttpFirm(stack)
            case "sqlite":
                yield SqlFirm(f"sqlite:///{tmp_path}/a.db", f"sqlite:///{tmp_path}/absent.db")
            case "postgresql":
                url = request.getfixturevalue("postgres_database_url")
                yield SqlFirm(url, "postgresql+psycopg://u:p@127.0.0.1:9/absent")
            case "s3":
                yield FileFirm(secrets.token_hex(6), suffix, request.getfixturevalue("s3_server"))
            case "fake":
                yield FakeFirm()
            case _:
                yield FileFirm(str(tmp_path), where)


def rows_of(source: AccountSource, as_of: date | None = None) -> list[Mapping[str, object]]:
    return list(itertools.chain.from_iterable(source.read(as_of)))


def test_every_row_arrives_exactly_and_in_the_sources_order(firm: Firm) -> None:
    rows = [row(account_id) for account_id in NASTY_IDS]
    assert rows_of(firm.source(rows)) == rows


def test_rows_of_every_source_make_the_same_table(firm: Firm) -> None:
    rows = [*map(row, NASTY_IDS), row("closed one", "closed")]
    builder = AccountsBuilder()
    for batch in firm.source(rows).read(None):
        builder.add(batch)
    table = builder.build()
    assert table["account_id"].to_pylist() == sorted(NASTY_IDS)
    assert table["account_name"].to_pylist() == [
        f"Name, of\n{account_id}" for account_id in sorted(NASTY_IDS)
    ]
    assert set(table["market_value"].to_pylist()) == {"198985.67"}


def test_a_large_list_comes_in_batches_of_ten_thousand_at_most(firm: Firm) -> None:
    source = firm.source([row(f"{i:05d}") for i in range(20_001)])
    batches = [[account["account_id"] for account in batch] for batch in source.read(None)]
    assert max(map(len, batches)) <= 10_000
    assert list(itertools.chain(*batches)) == [f"{i:05d}" for i in range(20_001)]


def test_a_list_can_be_read_again(firm: Firm) -> None:
    source = firm.source([row("A"), row("B")])
    next(iter(source.read(None)))
    assert rows_of(source) == rows_of(source) == [row("A"), row("B")]


def test_an_empty_list_is_no_error_of_the_source(firm: Firm) -> None:
    assert rows_of(firm.source([])) == []


def test_a_past_date_is_served_or_refused_before_any_row(firm: Firm) -> None:
    source = firm.source([row("A")])
    if firm.history:
        assert rows_of(source, DAY) == [row("A")]
    else:
        with pytest.raises(NoHistory, match=r"as of 2026-01-14.*history"):
            next(iter(source.read(DAY)))


def test_a_source_that_is_not_there_is_unavailable_and_not_named(firm: Firm) -> None:
    source = firm.absent()
    assert source.kind in ("http", "sql", "file")
    with pytest.raises(SourceUnavailable) as raised:
        rows_of(source)
    assert "absent" not in str(raised.value)
    assert "127.0.0.1" not in str(raised.value)
