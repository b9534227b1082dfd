"""Writing an opened report to a file: whole and verified, or nothing at all."""

import contextlib
import errno
import io
import os
import resource
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from esg_assets.adapters import nameless_files
from esg_assets.adapters.decrypted_file import decrypt_to
from esg_assets.core.errors import Refused, Tampered
from esg_assets.core.ports import Source
from esg_assets_tests.processes import line_from, python_process


@pytest.fixture(params=["nameless", "named"])
def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of a file system with nameless files, and one without."""
    if request.param == "named":
        monkeypatch.setattr(nameless_files, "open_nameless", lambda _: None)
    return tmp_path


@contextlib.contextmanager
def opened(data: bytes, error: Exception | None = None) -> Iterator[Source]:
    """Verified only at the end, as reports are."""
    yield io.BytesIO(data)
    if error:
        raise error


def test_the_file_holds_everything_and_is_the_readers_alone(folder: Path) -> None:
    data = os.urandom((3 << 20) + 17)
    previous = os.umask(0)
    try:
        assert decrypt_to(folder / "report.csv", opened(data)) == len(data)
    finally:
        os.umask(previous)
    assert (folder / "report.csv").read_bytes() == data
    assert stat.S_IMODE((folder / "report.csv").stat().st_mode) == 0o600
    assert [path.name for path in folder.iterdir()] == ["report.csv"]


def test_a_relative_name_is_in_the_working_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert decrypt_to(Path("report.csv"), opened(b"abc")) == 3
    assert (folder / "report.csv").read_bytes() == b"abc"


def test_what_does_not_verify_at_the_end_leaves_nothing(folder: Path) -> None:
    with pytest.raises(Tampered):
        decrypt_to(folder / "report.csv", opened(b"x" * (2 << 20), Tampered("altered")))
    assert list(folder.iterdir()) == []


def test_what_does_not_open_leaves_nothing(folder: Path) -> None:
    class Refusing(contextlib.AbstractContextManager[Source]):
        def __enter__(self) -> Source:
            raise Tampered("another key")

        def __exit__(self, *args: object) -> None:
            raise AssertionError

    with pytest.raises(Tampered):
        decrypt_to(folder / "report.csv", Refusing())
    assert list(folder.iterdir()) == []


def test_nothing_is_ever_overwritten(folder: Path) -> None:
    target = folder / "report.csv"
    target.write_bytes(b"mine")
    (folder / "link.csv").symlink_to(folder / "elsewhere.csv")
    for name in ("report.csv", "link.csv"):
        with pytest.raises(Refused, match="exists already"):
            decrypt_to(folder / name, opened(b"other"))
    assert target.read_bytes() == b"mine"
    assert not (folder / "elsewhere.csv").exists()


def test_a_file_that_appears_meanwhile_is_not_overwritten_either(folder: Path) -> None:
    target = folder / "report.csv"

    @contextlib.contextmanager
    def slow() -> Iterator[Source]:
        yield io.BytesIO(b"other")
        target.write_bytes(b"mine")

    with pytest.raises(Refused, match="meanwhile"):
        decrypt_to(target, slow())
    assert [path.read_bytes() for path in folder.iterdir()] == [b"mine"]


def test_a_folder_that_is_not_there_is_said(folder: Path) -> None:
    with pytest.raises(Refused, match="folder cannot be opened"):
        decrypt_to(folder / "no" / "report.csv", opened(b"x"))


def test_a_target_that_no_file_can_have_is_said(folder: Path) -> None:
    with pytest.raises(Refused, match="Nothing was written"):
        decrypt_to(folder / ("x" * 300), opened(b"x"))
    assert list(folder.iterdir()) == []


@contextlib.contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """What a full disk is to a writer: the write comes back short, and the next one fails."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_no_room_is_said_and_leaves_nothing(folder: Path) -> None:
    with file_size_limit(1 << 20), pytest.raises(Refused, match="Make room there") as caught:
        decrypt_to(folder / "report.csv", opened(b"x" * ((1 << 20) + 1)))
    assert "Nothing was written" in str(caught.value)
    assert list(folder.iterdir()) == []


@pytest.fixture
def not_ours() -> Iterator[Path]:
    """A folder that we may look into and not write to, also where the tests run as root."""
    folder = Path(tempfile.mkdtemp(prefix="esg-not-ours-"))
    folder.chmod(0o555)
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    try:
        yield folder
    finally:
        os.seteuid(before)
        folder.rmdir()


def test_a_folder_that_cannot_be_written_to_is_said(not_ours: Path) -> None:
    with pytest.raises(Refused, match=r"Permission denied.*a folder that you can write to"):
        decrypt_to(not_ours / "report.csv", opened(b"x"))
    assert list(not_ours.iterdir()) == []


def no_links(*_: object, **__: object) -> None:
    raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))


@pytest.fixture
def without_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file system as on most USB sticks: neither nameless files nor hard links."""
    monkeypatch.setattr(nameless_files, "open_nameless", lambda _: None)
    monkeypatch.setattr(os, "link", no_links)
    return tmp_path


def test_without_hard_links_the_file_is_renamed(without_links: Path) -> None:
    assert decrypt_to(without_links / "report.csv", opened(b"abc")) == 3
    assert [(path.name, path.read_bytes()) for path in without_links.iterdir()] == [("report.csv", b"abc")]


def test_without_hard_links_nothing_is_overwritten_either(without_links: Path) -> None:
    target = without_links / "report.csv"

    @contextlib.contextmanager
    def slow() -> Iterator[Source]:
        yield io.BytesIO(b"other")
        target.write_bytes(b"mine")

    with pytest.raises(Refused, match="meanwhile"):
        decrypt_to(target, slow())
    assert [path.read_bytes() for path in without_links.iterdir()] == [b"mine"]


WRITER = """
import contextlib, sys, time
from pathlib import Path
from esg_assets.adapters.decrypted_file import decrypt_to

class Slow:
    reads = 0
    def read(self, size=-1):
        self.reads += 1
        if self.reads == 3:
            print("writing", flush=True)
            time.sleep(600)
        return b"x" * size

decrypt_to(Path(sys.argv[1]), contextlib.nullcontext(Slow()))
"""


def test_a_kill_leaves_nothing(tmp_path: Path) -> None:
    with python_process(WRITER, str(tmp_path / "report.csv")) as process:
        assert line_from(process) == "writing"
        assert list(tmp_path.iterdir()) == []
    assert list(tmp_path.iterdir()) == []
