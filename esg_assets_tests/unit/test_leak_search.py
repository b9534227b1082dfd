"""The leak search finds what was planted, in every form and place it promises, and nothing else."""

import base64
import bz2
import contextlib
import gzip
import io
import json
import lzma
import os
import random
import sqlite3
import zipfile
import zlib
from collections.abc import Callable
from email.header import Header
from email.message import EmailMessage
from pathlib import Path

import pyarrow as pa
import pytest

from esg_assets_tests.leak_search import assert_no_leak, find_leaks, forms

ID = "ACC/00 17-Ü"


def _zip(data: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("inside.txt", data)
    return made.getvalue()


def _zstd(data: bytes) -> bytes:
    return bytes(pa.Codec("zstd").compress(data, asbytes=True))


def _sqlite(data: bytes) -> bytes:
    with contextlib.closing(sqlite3.connect(":memory:")) as database:
        database.execute("CREATE TABLE runs (body BLOB)")
        # Beyond one page, so that the value is cut up in the file.
        database.execute("INSERT INTO runs VALUES (?)", (os.urandom(9_000) + data,))
        return database.serialize()


def _mail(data: bytes, way: str) -> bytes:
    made = EmailMessage()
    # 57 bytes make a line of base64: so many x, and what is sought stands in two lines.
    made.set_content("x" * 38 + data.decode(), cte=way)
    return made.as_bytes()


def _subject(text: str, charset: str) -> bytes:
    return b"Subject: " + Header(text, charset, maxlinelen=76).encode().encode()


PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "zlib": zlib.compress,
    "zip": _zip,
    "zstd": _zstd,
    "sqlite": _sqlite,
    "a stream in the middle of a file": lambda data: os.urandom(50) + zlib.compress(data) + b"more",
    "zstd in the middle of a file": lambda data: b"before" + _zstd(data) + b"behind",
    "gzip in gzip": lambda data: gzip.compress(gzip.compress(data)),
    "base64 of zlib": lambda data: b'"' + base64.b64encode(zlib.compress(data)) + b'"',
    "bzip2": bz2.compress,
    "xz amid other bytes": lambda data: b"\0\1" + lzma.compress(data) + b"more",
    "a mail in base64": lambda data: _mail(data, "base64"),
    "a mail in quoted-printable": lambda data: _mail(data, "quoted-printable"),
    "a mail in JSON": lambda data: json.dumps(_mail(data, "base64").decode()).encode(),
    "the subject of a mail": lambda data: _subject(data.decode(), "utf-8"),
    "zlib in sqlite": lambda data: _sqlite(zlib.compress(data)),
}


@pytest.mark.parametrize("before", range(3))
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_base64_is_found_at_every_alignment(before: int, encode: Callable[[bytes], bytes]) -> None:
    assert find_leaks([ID], texts={"log": encode(b"x" * before + ID.encode() + b"and more")})


@pytest.mark.parametrize(("form", "written"), list(forms(ID)), ids=lambda value: str(value)[:30])
def test_every_form_is_found(form: str, written: bytes) -> None:
    (leak, *_) = find_leaks([ID], texts={"log": b"before" + written + b"behind"})
    assert leak.needle == ID
    assert leak.where == "log"


@pytest.mark.parametrize("packing", PACKINGS)
def test_what_is_packed_is_opened(packing: str, tmp_path: Path) -> None:
    text = b"filler " * 100 + ID.encode() + b" filler" * 100
    (tmp_path / "file").write_bytes(PACKINGS[packing](text))
    found = find_leaks([ID], folders=[tmp_path])
    assert found
    with pytest.raises(AssertionError, match="file"):
        assert_no_leak([ID], folders=[tmp_path])


def test_the_log_of_a_database_that_is_open_is_read(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "runs.db")) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE runs (body TEXT)")
        database.execute("INSERT INTO runs VALUES (?)", ("x" * 9_000 + ID,))
        database.commit()
        assert any("table runs" in leak.where for leak in find_leaks([ID], folders=[tmp_path]))


def test_names_of_files_and_folders_are_searched(tmp_path: Path) -> None:
    (tmp_path / "ACC-0017").mkdir()
    (tmp_path / "ACC-0017" / "empty").touch()
    (leak,) = find_leaks(["ACC-0017"], folders=[tmp_path])
    assert leak.where.startswith("the name of")


def test_a_needle_over_the_border_of_two_slices_is_found() -> None:
    for shift in (0, 1, 5, 9):
        assert find_leaks(["ACC-0017"], texts={"big": b"." * ((4 << 20) - shift) + b"ACC-0017"})


def test_one_of_thousands_of_needles_is_named() -> None:
    needles = [f"ACC-{n:06d}" for n in range(5_000)]
    noise = random.Random(1).randbytes(4_000_000)
    assert [leak.needle for leak in find_leaks(needles, texts={"noise": noise + b"ACC-004711"})] == [
        "ACC-004711"
    ]


def test_noise_holds_nothing() -> None:
    noise = random.Random(2).randbytes(3_000_000)
    assert_no_leak(["61.20", "Müller & Søn", ID], texts={"noise": noise, "base64": base64.b64encode(noise)})


def test_a_needle_that_is_found_by_chance_is_refused() -> None:
    with pytest.raises(ValueError, match="by chance"):
        find_leaks(["abc"])
