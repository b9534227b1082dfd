"""What is particular to the store in a folder: modes, links, crashes, full disks."""

import errno
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from esg_assets.adapters import nameless_files
from esg_assets.adapters.stores import open_store
from esg_assets.adapters.stores.local import LocalStore
from esg_assets.core.errors import KeyExists, KeyMissing, Refused, SettingsWrong, StoreUnavailable
from esg_assets_tests.processes import line_from, python_process


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "home" / "store"


@pytest.fixture(params=["nameless files", "named temporary files"])
def store(request: pytest.FixtureRequest, root: Path, monkeypatch: pytest.MonkeyPatch) -> LocalStore:
    """Both ways of writing: file systems without O_TMPFILE exist."""
    if request.param == "named temporary files":
        monkeypatch.setattr(nameless_files, "open_nameless", lambda folder: None)
    return LocalStore(root)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o177])
def test_files_are_0600_and_folders_0700_whatever_the_umask(
    store: LocalStore, root: Path, umask: int
) -> None:
    before = os.umask(umask)
    try:
        store.create("a/b/one", b"1")
        with store.writer("a/b/two") as sink:
            sink.write(b"2")
    finally:
        os.umask(before)
    modes = {p.relative_to(root.parent): stat.S_IMODE(p.stat().st_mode) for p in root.parent.rglob("*")}
    assert modes == {
        Path("store"): 0o700,
        Path("store/a"): 0o700,
        Path("store/a/b"): 0o700,
        Path("store/a/b/one"): 0o600,
        Path("store/a/b/two"): 0o600,
    }
    assert stat.S_IMODE(root.parent.stat().st_mode) == 0o700


def test_nothing_is_left_behind(store: LocalStore, root: Path) -> None:
    def fail() -> None:
        with store.writer("a/one") as sink:
            sink.write(b"1")
            raise ZeroDivisionError

    store.create("a/two", b"2")
    with pytest.raises(ZeroDivisionError):
        fail()
    with pytest.raises(KeyExists):
        store.create("a/two", b"3")
    assert [p.name for p in root.rglob("*")] == ["a", "two"]


def test_looking_into_a_store_makes_nothing(root: Path) -> None:
    store = LocalStore(root)
    assert list(store.keys("")) == []
    with pytest.raises(KeyMissing):
        store.read("a/b")
    store.delete("a/b")
    assert not root.parent.exists()


@pytest.mark.parametrize("target", ["outside", "inside", "nowhere"])
def test_links_in_a_store_are_refused(root: Path, tmp_path: Path, target: str) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "one").write_bytes(b"secret")
    store = LocalStore(root)
    store.create("inside/one", b"1")
    to = {"outside": tmp_path / "outside", "inside": root / "inside", "nowhere": tmp_path / "nothing"}[target]
    (root / "folder").symlink_to(to)
    (root / "file").symlink_to(to / "one")
    for key in ("folder/one", "file"):
        with pytest.raises(Refused, match="symbolic link"):
            store.read(key)
        with pytest.raises((Refused, KeyExists)):
            store.create(key, b"2")
    with pytest.raises(Refused, match="symbolic link"):
        store.delete("folder/one")
    for prefix in ("", "folder/"):
        with pytest.raises(Refused, match="symbolic link"):
            list(store.keys(prefix))
    assert (tmp_path / "outside" / "one").read_bytes() == b"secret"
    assert (root / "inside" / "one").read_bytes() == b"1"


def test_the_folder_itself_may_be_reached_through_a_link(root: Path, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    LocalStore(tmp_path / "link" / "store").create("a", b"1")
    assert (tmp_path / "real" / "store" / "a").read_bytes() == b"1"


def test_what_is_no_object_is_neither_listed_nor_read(root: Path) -> None:
    store = LocalStore(root)
    store.create("a/one", b"1")
    (root / "a" / "~1234").write_bytes(b"half")
    (root / "a" / "with space").write_bytes(b"?")
    os.mkfifo(root / "a" / "pipe")
    assert list(store.keys("")) == ["a/one"]
    with pytest.raises(KeyMissing):
        store.read("a/pipe")


def test_an_object_is_on_the_disk_before_it_has_a_name(
    store: LocalStore, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    sync, link = os.fsync, os.link

    def fsync(descriptor: int) -> None:
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        steps.append("folder synced" if is_folder else "file synced")
        sync(descriptor)

    def named(source: str, name: str, **options: int) -> None:
        steps.append("named")
        link(source, name, **options)  # type: ignore[arg-type]  # passed on as they came

    store.create("a/zero", b"0")
    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "link", named)
    store.create("a/one", b"1")
    assert steps == ["file synced", "named", "folder synced"]


@pytest.mark.parametrize(
    ("number", "text"),
    [(errno.ENOSPC, "disk is full"), (errno.EROFS, "read-only"), (errno.EACCES, "no permission")],
)
@pytest.mark.parametrize("call", ["open", "link", "fsync"])
def test_what_the_disk_refuses_is_said_in_words(
    store: LocalStore, root: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int, text: str
) -> None:
    store.create("a/one", b"1")

    def refuse(*args: object, **options: object) -> None:
        raise OSError(number, "what the system says", str(root))

    with monkeypatch.context() as patched:
        patched.setattr(os, call, refuse)
        with pytest.raises(StoreUnavailable, match=text) as caught:
            store.create("a/two", b"2")
    assert str(root) not in str(caught.value)
    assert caught.value.__suppress_context__
    assert list(store.keys("")) == ["a/one"]


def test_an_error_of_the_caller_stays_his(store: LocalStore) -> None:
    def fail() -> None:
        with store.writer("a/one"):
            raise FileNotFoundError("somebody else's")

    with pytest.raises(FileNotFoundError, match="somebody else's"):
        fail()


FILL = """
import resource, sys
from pathlib import Path
from esg_assets.adapters.stores.local import LocalStore
from esg_assets.core.errors import StoreUnavailable
store = LocalStore(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (3 << 20, 3 << 20))
try:
    with store.writer("big") as sink:
        for _ in range(5):
            sink.write(bytes(1 << 20))
except StoreUnavailable as error:
    print(error)
"""


def test_a_real_limit_in_the_middle_of_a_stream_leaves_nothing(root: Path) -> None:
    done = subprocess.run([sys.executable, "-c", FILL, str(root)], check=True, capture_output=True, text=True)
    assert "larger than this process may write" in done.stdout
    assert done.stderr == ""
    assert list(root.iterdir()) == []


WRITE = """
import sys
from pathlib import Path
from esg_assets.adapters import nameless_files
from esg_assets.adapters.stores import local
if sys.argv[2] == "named":
    nameless_files.open_nameless = lambda folder: None
with local.LocalStore(Path(sys.argv[1])).writer("parts/one") as sink:
    for _ in range(4):
        sink.write(bytes(1 << 20))
    print("written", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("way", ["nameless", "named"])
def test_a_killed_writer_leaves_nothing_that_is_listed(root: Path, way: str) -> None:
    with python_process(WRITE, str(root), way) as process:
        assert line_from(process) == "written"
        process.send_signal(signal.SIGKILL)
        process.wait()
    store = LocalStore(root)
    assert list(store.keys("")) == []
    if way == "nameless":
        assert list((root / "parts").iterdir()) == []
    store.create("parts/one", b"1")
    assert list(store.keys("")) == ["parts/one"]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://host/path",
        "file:///tmp/x",
        "s3://",
        "s3:///prefix",
        "s3://user:secret@bucket/x",
        "s3://bucket/../x",
        "s3://bucket/a b",
        "s3://bucket/x?versionId=1",
        "gs://bucket/x#y",
    ],
)
def test_a_url_that_names_no_store_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(SettingsWrong) as caught:
        open_store(url)
    assert "secret" not in str(caught.value)


def test_plain_http_to_another_machine_is_refused() -> None:
    with pytest.raises(SettingsWrong, match="plain http"):
        open_store("s3://bucket/x", {"AWS_ENDPOINT_URL": "http://192.0.2.1:9000"})


def test_a_path_is_a_local_store(tmp_path: Path) -> None:
    open_store(str(tmp_path / "store")).create("a", b"1")
    assert (tmp_path / "store" / "a").read_bytes() == b"1"
