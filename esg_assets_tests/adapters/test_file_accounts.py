"""The file account source on real files, and on a real S3 server."""

import csv
import itertools
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path

import obstore
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from obstore.store import S3Store

from esg_assets.adapters.account_sources import FileAccountSource, open_account_source
from esg_assets.core.errors import (
    AccessDenied,
    AccountsRefused,
    EsgError,
    NoHistory,
    SettingsWrong,
    SourceUnavailable,
)
from esg_assets_tests.servers import S3Server

SECRET = "S3CRET"
Rows = list[Mapping[str, object]]


def read(source: FileAccountSource) -> Rows:
    return list(itertools.chain.from_iterable(source.read(None)))


def refusal(error: type[EsgError], url: str | Path, options: Mapping[str, str] | None = None) -> str:
    """What reading is refused with: no value, no path, and nothing of the library behind it."""
    with pytest.raises(error) as raised:
        read(FileAccountSource(str(url), options))
    text = str(raised.value) + repr(getattr(raised.value, "problems", ""))
    assert SECRET not in text
    assert str(url) not in text
    assert raised.value.__context__ is None
    return text


def csv_file(folder: Path, content: bytes) -> Path:
    path = folder / "accounts.csv"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
def test_every_value_of_a_csv_is_text_exactly_as_it_stands(tmp_path: Path, bom: bytes, end: bytes) -> None:
    lines = [b"account_id,status,market_value", b"001, active,52.50", '"客,""\n",,1e5'.encode(), b""]
    path = csv_file(tmp_path, bom + end.join(lines) + end)
    assert read(FileAccountSource(str(path))) == [
        {"account_id": "001", "status": " active", "market_value": "52.50"},
        {"account_id": '客,"\n', "status": "", "market_value": "1e5"},
    ]


def test_ragged_rows_are_counted_and_named(tmp_path: Path) -> None:
    ragged = b"S3CRET\r\n" * 30
    path = csv_file(tmp_path, b"account_id,status\r\nA,active\r\n\r\nS3CRET,active,\r\n" + ragged)
    text = refusal(AccountsRefused, path)
    assert "31 problems (the first 20 are listed): row 2: it has 3 fields, the header has 2; row 3: " in text


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no header row"),
        (b"\r\n", "no header row"),
        (b"account_id;status\r\nS3CRET;active\r\n", "commas are wanted"),
        (b"account_id,status,status\r\n", "a name stands twice"),
        (b"account_id,status\r\nA,active\r\nS3CRET\xff,active\r\n", "not UTF-8"),
        ("account_id,status\r\n".encode("utf-16"), "not UTF-8"),
        (b'account_id,status\r\nA,active\r\n"S3CRET,active\r\n', "row 2: a quote is out of place"),
        (b'account_id,status\r\n"S3"CRET,active\r\n', "row 1: a quote is out of place"),
        (b"account_id,status\r\n" + b"x" * 200_000 + b",active\r\n", "row 1: a quote is out of place"),
    ],
)
def test_what_is_no_csv_of_a_table_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    assert reason in refusal(AccountsRefused, csv_file(tmp_path, content))


def test_a_field_of_200_kb_is_refused_whatever_limit_the_process_has_for_csv(tmp_path: Path) -> None:
    path = csv_file(tmp_path, b"account_id,status\r\n" + b"x" * 200_000 + b",active\r\n")
    before = csv.field_size_limit(1_000_000)
    try:
        assert "row 1: a quote is out of place" in refusal(AccountsRefused, path)
    finally:
        csv.field_size_limit(before)


def test_batches_hold_ten_thousand_rows_at_most(tmp_path: Path) -> None:
    path = csv_file(tmp_path, b"account_id\n" + b"x\n" * 20_001)
    assert [len(batch) for batch in FileAccountSource(str(path)).read(None)] == [10_000, 10_000, 1]
    table = pa.table({"account_id": ["x"] * 20_001})
    pq.write_table(table, tmp_path / "a.parquet")
    sizes = [len(batch) for batch in FileAccountSource(str(tmp_path / "a.parquet")).read(None)]
    assert max(sizes) <= 10_000
    assert sum(sizes) == 20_001


def test_parquet_keeps_types_and_leaves_out_dates_and_nested_columns(tmp_path: Path) -> None:
    table = pa.table(
        {
            "account_id": pa.array(["001", "客"]).dictionary_encode(),
            "account.name": pa.array(["n", None], pa.large_string()),
            "market_value": pa.array([Decimal("52.50"), None], pa.decimal128(38, 2)),
            "number": [1, 2],
            "opened_on": pa.array([2**62, 0], pa.timestamp("ns", "UTC")),
            "tags": [["a"], []],
        }
    )
    pq.write_table(table, tmp_path / "accounts.PARQUET")
    assert read(FileAccountSource(str(tmp_path / "accounts.PARQUET"))) == [
        {"account_id": "001", "account.name": "n", "market_value": Decimal("52.50"), "number": 1},
        {"account_id": "客", "account.name": None, "market_value": None, "number": 2},
    ]


def test_what_is_no_parquet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "accounts.parquet"
    pq.write_table(pa.table({"account_id": [SECRET] * 1000}), path)
    whole = path.read_bytes()
    for content in (b"", b"S3CRET" * 100, whole[: len(whole) // 2], b"PAR1" + b"\0" * 50 + b"PAR1"):
        path.write_bytes(content)
        assert "no Parquet file, or a damaged one" in refusal(AccountsRefused, path)


def test_a_column_name_twice_in_parquet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "accounts.parquet"
    columns = [pa.array(["a"]), pa.array(["b"])]
    pq.write_table(pa.Table.from_arrays(columns, names=["account_id", "account_id"]), path)
    assert "column name stands twice" in refusal(AccountsRefused, path)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_file_that_is_not_there_is_unavailable(tmp_path: Path, suffix: str) -> None:
    text = refusal(SourceUnavailable, tmp_path / f"nothing.{suffix}")
    assert "no such file" in text
    assert "ESG_ACCOUNTS_URL" in text


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert "Is a directory" in refusal(SourceUnavailable, _made(tmp_path / "folder.csv"))


def _made(path: Path) -> Path:
    path.mkdir()
    return path


def test_a_file_that_is_written_to_while_it_is_read_is_unavailable(tmp_path: Path) -> None:
    path = csv_file(tmp_path, b"account_id\n" + b"x\n" * 20_001)
    batches = FileAccountSource(str(path)).read(None)
    next(iter(batches))
    with path.open("ab") as file:
        file.write(b"y\n")
    with pytest.raises(SourceUnavailable, match="written to while it was read"):
        list(batches)


def test_a_file_that_is_replaced_while_it_is_read_is_read_as_it_was(tmp_path: Path) -> None:
    path = csv_file(tmp_path, b"account_id\n" + b"x\n" * 20_001)
    batches = FileAccountSource(str(path)).read(None)
    first = next(iter(batches))
    (tmp_path / "new").write_bytes(b"account_id\ny\n")
    (tmp_path / "new").replace(path)
    assert len(first) + sum(map(len, batches)) == 20_001


def test_a_file_keeps_no_history() -> None:
    with pytest.raises(NoHistory, match="--current-accounts"):
        FileAccountSource("nothing.csv").read(date(2026, 1, 14))


def put(server: S3Server, key: str, content: bytes) -> str:
    config = {name.lower(): value for name, value in server.environment.items()}
    store = S3Store(server.bucket, config=config)  # type: ignore[arg-type]  # a TypedDict, made at run time
    obstore.put(store, key, content)
    return f"s3://{server.bucket}/{key}"


def test_a_large_object_is_streamed_from_s3(s3_server: S3Server) -> None:
    rows = "".join(f"{i:07d},客户 {i}\r\n" for i in range(200_000))
    url = put(s3_server, "accounts test/große liste.csv", f"account_id,account_name\r\n{rows}".encode())
    source = open_account_source(url, storage_options=s3_server.environment)
    read_rows = [row for batch in source.read(None) for row in batch]
    assert len(read_rows) == 200_000
    assert read_rows[-1] == {"account_id": "0199999", "account_name": "客户 199999"}


def test_s3s_refusals_are_told_apart(s3_server: S3Server) -> None:
    url = put(s3_server, "accounts/here.csv", b"account_id\r\nA\r\n")
    environment = dict(s3_server.environment)
    assert "no such object" in refusal(SourceUnavailable, url.replace("here", "gone"), environment)
    wrong = {**environment, "AWS_SECRET_ACCESS_KEY": SECRET}
    assert "refuses this client" in refusal(AccessDenied, url, wrong)


@pytest.mark.parametrize(
    ("url", "options", "part"),
    [
        ("accounts.xlsx", {}, "another kind"),
        ("s3://bucket", {}, "another kind"),
        ("s3:///key.csv", {}, "no bucket"),
        ("s3://bucket.csv", {}, "no bucket"),
        ("s3://b/k.csv", {"AWS_ENDPOINT_URL": "http://s3.example.com"}, "plain http"),
        ("s3://b/k.csv", {"AWS_CA_BUNDLE": "/nothing"}, "AWS_CA_BUNDLE"),
    ],
)
def test_a_wrong_setting_shows_before_anything_is_opened(
    url: str, options: Mapping[str, str], part: str
) -> None:
    with pytest.raises(SettingsWrong, match="Wanted: ") as raised:
        FileAccountSource(url, options)
    assert part in str(raised.value)
