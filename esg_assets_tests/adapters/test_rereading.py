"""An object that is read twice, and members of an archive as it streams by."""

import contextlib
import io
import tarfile
from collections.abc import Callable, Iterator

import pytest

from esg_assets.adapters.publications import TwiceRead, members
from esg_assets.core.errors import Tampered
from esg_assets.core.ports import Source

PIECE = 1 << 20
DATA = bytes(range(256)) * (PIECE // 64)  # four pieces


def holding(*contents: bytes) -> Callable[[], contextlib.AbstractContextManager[Source]]:
    """What holds another content each time it is opened."""
    waiting = iter(contents)

    @contextlib.contextmanager
    def opened() -> Iterator[Source]:
        yield io.BytesIO(next(waiting))

    return opened


def test_the_second_reading_gives_what_was_verified() -> None:
    read = TwiceRead(holding(DATA, DATA), "it")
    assert b"".join(read.first()) == b"".join(read.again()) == DATA


@pytest.mark.parametrize(
    "other",
    [
        DATA[:-1] + b"x",
        DATA[:PIECE] + b"x" + DATA[PIECE + 1 :],
        DATA[:-1],
        DATA[:PIECE],
        DATA + b"x",
        b"",
    ],
)
def test_nothing_of_another_object_is_given(other: bytes) -> None:
    read = TwiceRead(holding(DATA, other), "it")
    for _ in read.first():
        pass
    given: list[bytes] = []
    with pytest.raises(Tampered, match="another object than a moment ago"):
        given.extend(read.again())
    assert DATA.startswith(b"".join(given))


def test_what_was_not_read_to_its_verified_end_is_not_read_again() -> None:
    read = TwiceRead(holding(DATA, DATA), "it")
    next(read.first())
    with pytest.raises(ValueError, match="was not read to its end"):
        next(read.again())

    @contextlib.contextmanager
    def unverified() -> Iterator[Source]:
        yield io.BytesIO(DATA)
        raise Tampered("at its end")

    read = TwiceRead(unverified, "it")
    with pytest.raises(Tampered, match="at its end"):
        list(read.first())
    with pytest.raises(ValueError, match="was not read to its end"):
        next(read.again())


def archive(**contents: bytes) -> bytes:
    written = io.BytesIO()
    with tarfile.open(mode="w|", fileobj=written, format=tarfile.PAX_FORMAT) as tar:
        for name, data in contents.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return written.getvalue()


@pytest.mark.parametrize("size", [1, 511, 512, 100_000])
def test_members_are_found_however_the_archive_arrives(size: int) -> None:
    data = archive(a=b"1" * 3, b=b"2" * 9_000, c=b"")
    pieces = iter([data[at : at + size] for at in range(0, len(data), size)])
    assert list(members(pieces, {"b", "c", "d"})) == [("b", b"2" * 9_000), ("c", b"")]
    assert next(pieces, None) is None, "whoever opened it reads it to its verified end"


@pytest.mark.parametrize("data", [b"no archive at all" * 100, archive(a=b"1" * 9_000)[:2_000]])
def test_what_is_no_archive_is_refused(data: bytes) -> None:
    with pytest.raises(Tampered, match="no archive of ours"):
        list(members([data], {"a"}))
