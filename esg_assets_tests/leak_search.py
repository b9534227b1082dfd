"""A search for texts that must not be anywhere: in files, in what a program printed, in databases.

`find_leaks` looks for each needle plain and as somebody may have written it by accident (FORMS), and
inside what is packed: gzip, zlib, bzip2, xz and zstd streams wherever they begin, zip members, SQLite's
cells, base64 runs that hold one of those, and what mails are written in (base64 in lines, quoted-printable,
words of headers). Names of files are searched too. Not opened: what is encrypted, Parquet and Arrow with
other codecs than zstd, anything packed more than DEEPEST times.

Tests that rely on it plant a leak and see it found: `assert_no_leak(...)` alone proves nothing.
"""

import base64
import bz2
import contextlib
import html
import io
import json
import lzma
import os
import quopri
import re
import sqlite3
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from email.header import decode_header
from pathlib import Path
from urllib.parse import quote, quote_plus

import numpy as np
import pyarrow as pa

SHORTEST = 4
"""Bytes of a pattern at least: shorter ones are in any megabyte of ciphertext by chance."""

SHORTEST_BASE64 = 7
"""Likewise for base64, which occurs in keys, digests and messages."""

DEEPEST = 4
"""Layers of packing that are opened."""

LARGEST = 256 << 20
"""Bytes that one packed stream may unpack to."""

_SLICE = 4 << 20
_STREAM = rb"\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]"
_ZSTD = rb"\x28\xb5\x2f\xfd"
_BZIP2 = rb"BZh[1-9]1AY&SY"
_XZ = rb"\xfd7zXZ\0"
_PACKED = re.compile(b"|".join([_STREAM, _ZSTD, _BZIP2, _XZ]) + rb"|PK\x03\x04|SQLite format 3\0")
_BREAK = rb"(?:\r?\n|\\r\\n|\\n)"  # also as JSON writes it
# A run without a break matches too, so that it is passed over once and not from each of its bytes.
_BASE64_LINES = re.compile(rb"[A-Za-z0-9+/]{40,}(?:" + _BREAK + rb"[A-Za-z0-9+/]+)*={0,2}")
_HEADER_WORDS = re.compile(rb"=\?[\w-]+\?[bBqQ]\?[^?\s]*\?=(?:\s+=\?[\w-]+\?[bBqQ]\?[^?\s]*\?=)*")
_BASE64_RUN = re.compile(rb"[A-Za-z0-9+/_-]{24,}={0,2}")


@dataclass(frozen=True)
class Leak:
    """One find: where, which needle, in which form."""

    where: str
    needle: str
    form: str


def find_leaks(
    needles: Iterable[str],
    *,
    folders: Iterable[Path] = (),
    texts: Mapping[str, str | bytes] | None = None,
) -> list[Leak]:
    """Everywhere that a needle stands, one find for each place, needle and form.

    Args:
        needles: texts of at least SHORTEST bytes.
        folders: every file below them is searched, and its name; a path of a file is that file.
        texts: further texts by what they are called.
    """
    search = _Search(needles)
    for name, text in (texts or {}).items():
        search.blob(name, text.encode() if isinstance(text, str) else text)
    for folder in folders:
        for path in _files(folder):
            search.names(str(path), str(path.relative_to(folder.parent)))
            search.file(path)
    return list(dict.fromkeys(search.found))


def assert_no_leak(
    needles: Iterable[str],
    *,
    folders: Iterable[Path] = (),
    texts: Mapping[str, str | bytes] | None = None,
) -> None:
    """Fail with the finds, if there are any."""
    found = find_leaks(needles, folders=folders, texts=texts)
    assert not found, "\n".join(f"{leak.needle!r} as {leak.form} in {leak.where}" for leak in found[:20])


def forms(needle: str) -> Iterator[tuple[str, bytes]]:
    """The ways a text may have been written, by name."""
    data = needle.encode()
    yield "text", data
    yield "hex", data.hex().encode()
    yield "HEX", data.hex().upper().encode()
    yield "hex of UTF-16", needle.encode("utf-16-le").hex().encode()
    for name, text in _escaped(needle):
        yield name, text.encode()
    yield "UTF-16 little-endian", needle.encode("utf-16-le")
    yield "UTF-16 big-endian", needle.encode("utf-16-be")
    for encoding in ("utf-8", "utf-16-le"):
        for alignment in range(3):
            # What does not depend on the bytes before and after the needle.
            encoded = base64.b64encode(b"\0" * alignment + needle.encode(encoding))
            length = alignment + len(needle.encode(encoding))
            certain = encoded[(alignment * 8 + 5) // 6 : length * 8 // 6]
            if len(certain) >= SHORTEST_BASE64:
                yield f"base64 of {encoding}, alignment {alignment}", certain
                yield (
                    f"base64url of {encoding}, alignment {alignment}",
                    certain.translate(bytes.maketrans(b"+/", b"-_")),
                )


def _escaped(needle: str) -> Iterator[tuple[str, str]]:
    quoted = quote(needle, safe="")
    yield "percent-encoded", quoted
    yield "percent-encoded, lower case", re.sub("%[0-9A-F]{2}", lambda m: m[0].lower(), quoted)
    yield "percent-encoded as a path", quote(needle)
    yield "percent-encoded as a form", quote_plus(needle)
    yield "JSON", json.dumps(needle)[1:-1]
    yield "Python", ascii(needle)[1:-1]
    yield "HTML", html.escape(needle)
    yield "quoted-printable", quopri.encodestring(needle.encode()).decode("ascii")


class _Search:
    """Patterns by their first bytes, so that thousands of needles take one pass over the data."""

    def __init__(self, needles: Iterable[str]) -> None:
        self.found: list[Leak] = []
        patterns: dict[bytes, tuple[str, str]] = {}
        for needle in needles:
            if len(needle.encode()) < SHORTEST:
                raise ValueError(f"a needle of {len(needle.encode())} bytes is found everywhere by chance")
            for form, pattern in forms(needle):
                patterns.setdefault(pattern, (needle, form))
        self._indexes = [
            _Index({p: n for p, n in patterns.items() if len(p) >= 8}, 8),
            _Index({p: n for p, n in patterns.items() if len(p) < 8}, 4),
        ]

    def names(self, where: str, name: str) -> None:
        self._plain(f"the name of {where}", name.encode(errors="surrogateescape"))

    def file(self, path: Path) -> None:
        data = path.read_bytes()
        self.blob(str(path), data)
        wal = path.with_name(f"{path.name}-wal")
        if data.startswith(b"SQLite format 3\0") and wal.exists():  # what is not in the file itself yet
            with contextlib.closing(
                sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)
            ) as database:
                self._cells(f"{path} with its log", database, 0)

    def blob(self, where: str, data: bytes, depth: int = 0) -> None:
        self._plain(where, data)
        if depth >= DEEPEST:
            return
        for what, inside in _unpacked(data):
            self.blob(f"{what} in {where}", inside, depth + 1)
        if data.startswith(b"SQLite format 3\0"):
            self._database(where, data, depth)

    def _plain(self, where: str, data: bytes) -> None:
        for index in self._indexes:
            self.found += [Leak(where, needle, form) for needle, form in index.hits(data)]

    def _database(self, where: str, data: bytes, depth: int) -> None:
        image = bytearray(data)
        image[18:20] = b"\1\1"  # no write-ahead log here, whatever the file says
        with contextlib.closing(sqlite3.connect(":memory:")) as database:
            database.deserialize(bytes(image))
            with contextlib.suppress(sqlite3.DatabaseError):  # a copy cut off: its bytes were searched
                self._cells(where, database, depth)

    def _cells(self, where: str, database: sqlite3.Connection, depth: int) -> None:
        database.text_factory = bytes
        tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in tables:
            name = table.decode().replace('"', '""')
            for row in database.execute(f'SELECT * FROM "{name}"'):
                for cell in row:
                    if isinstance(cell, bytes):
                        self.blob(f"table {table.decode()} of {where}", cell, depth + 1)


class _Index:
    """Finds any of many patterns that are at least `width` bytes long."""

    def __init__(self, patterns: Mapping[bytes, tuple[str, str]], width: int) -> None:
        self._width = width
        self._type = f"<u{width}"
        self._names = patterns
        self._by_start: dict[int, list[bytes]] = {}
        for pattern in patterns:
            self._by_start.setdefault(int.from_bytes(pattern[:width], "little"), []).append(pattern)
        self._starts = np.array(sorted(self._by_start), dtype=self._type)
        self._maybe = np.zeros(1 << 22, dtype=bool)
        self._maybe[self._hash(self._starts)] = True

    def _hash(self, windows: np.ndarray) -> np.ndarray:
        return (windows.astype("<u8") * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(42)

    def hits(self, data: bytes) -> Iterator[tuple[str, str]]:
        if not len(self._starts):
            return
        for start in range(0, len(data), _SLICE):
            part = data[start : start + _SLICE + self._width - 1]
            for offset in range(min(self._width, len(part))):
                count = (len(part) - offset) // self._width
                windows = np.frombuffer(part, self._type, count, offset)
                for position in np.flatnonzero(self._maybe[self._hash(windows)]):
                    at = start + offset + int(position) * self._width
                    for pattern in self._by_start.get(int(windows[position]), ()):
                        if data.startswith(pattern, at):
                            yield self._names[pattern]


def _files(folder: Path) -> Iterator[Path]:
    if folder.is_file():
        yield folder
    for root, _, names in os.walk(folder):
        yield from (path for name in sorted(names) if (path := Path(root, name)).is_file())


def _unpacked(data: bytes) -> Iterator[tuple[str, bytes]]:
    for match in re.finditer(_STREAM, data):
        stream = zlib.decompressobj(wbits=47)  # zlib or gzip
        with contextlib.suppress(zlib.error):  # two bytes are soon met by chance: then it is no stream
            if inside := stream.decompress(data[match.start() :], LARGEST):
                yield "zlib or gzip", inside
    for match in re.finditer(_ZSTD, data):
        with (
            contextlib.suppress(OSError),
            pa.CompressedInputStream(pa.BufferReader(pa.py_buffer(data[match.start() :])), "zstd") as source,
        ):
            yield "zstd", _until_it_breaks(source)
    if b"PK\x03\x04" in data:
        with (
            contextlib.suppress(zipfile.BadZipFile, NotImplementedError),
            zipfile.ZipFile(io.BytesIO(data)) as packed,
        ):
            for name in packed.namelist():
                yield f"member {name}", name.encode() + b"\n" + packed.read(name)
    for start, opened in ((_BZIP2, bz2.BZ2Decompressor), (_XZ, lzma.LZMADecompressor)):
        for match in re.finditer(start, data):
            with contextlib.suppress(OSError, lzma.LZMAError, EOFError):
                yield "bzip2 or xz", opened().decompress(data[match.start() :], LARGEST)
    yield from _as_in_mails(data)
    for match in _BASE64_RUN.finditer(data):
        run = match[0].rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
        decoded = base64.b64decode(run[: len(run) - (len(run) % 4 == 1)] + b"==")
        if _PACKED.match(decoded):
            yield "base64", decoded


def _as_in_mails(data: bytes) -> Iterator[tuple[str, bytes]]:
    for match in _BASE64_LINES.finditer(data):
        after_break = data[match.start() - 1 : match.start()] == b"\\"  # its n, as JSON writes it
        run = re.sub(_BREAK, b"", match[0][after_break:]).rstrip(b"=")
        if len(run) >= len(match[0].rstrip(b"=")) - after_break:
            continue  # no break: its bytes were searched as they are
        yield "base64 in lines", base64.b64decode(run[: len(run) - (len(run) % 4 == 1)] + b"==")
    if b"uoted-printable" in data:
        yield "quoted-printable", quopri.decodestring(re.sub(b"=" + _BREAK, b"", data))
    words = [match[0].decode("ascii") for match in _HEADER_WORDS.finditer(data)]
    if words:
        decoded = [decode_header(each) for each in words]
        parts = [text if isinstance(text, bytes) else text.encode() for each in decoded for text, _ in each]
        yield "words of a header", b"\n".join(parts)


def _until_it_breaks(source: pa.NativeFile) -> bytes:
    """What can be read: what follows the frame in the same file ends it with an error."""
    parts = io.BytesIO()
    with contextlib.suppress(OSError):
        while (part := source.read(1 << 16)) and parts.tell() < LARGEST:
            parts.write(part)
    return parts.getvalue()
