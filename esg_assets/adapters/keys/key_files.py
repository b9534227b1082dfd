"""Reading and writing key files with the care they need; what is in them is not known here."""

import contextlib
import os
import re
import stat
from enum import Enum
from pathlib import Path

from esg_assets.core.errors import Refused, SettingsWrong

_MAX_BYTES = 64 * 1024
_PEM = re.compile(
    rb"\s*-----BEGIN ([A-Z0-9 ]+)-----\r?\n"
    rb"(?:(?:[A-Za-z0-9-]+: [^\r\n]*\r?\n)+\r?\n)?"  # how an old encrypted file says so
    rb"[A-Za-z0-9+/=\r\n]+-----END \1-----\s*"
)


class Kept(Enum):
    """How a key file must be kept."""

    PRIVATE = 0o077
    """Nobody but its owner may do anything with it."""
    PUBLIC = 0o022
    """Nobody but its owner may change it."""

    @property
    def forbidden(self) -> int:
        """Permission bits that must not be set."""
        return self.value


def read_key_file(path: Path, kept: Kept) -> bytes:
    """The bytes of a key file.

    Raises:
        SettingsWrong: it is missing, a symbolic link, no regular file, someone else's, too large, or
            others may do what `kept` forbids.
    """
    # O_NONBLOCK: a pipe must not hold us up.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags)
    except OSError as error:
        if path.is_symlink():
            raise SettingsWrong(
                f"The key file {path} is a symbolic link, and what it leads to could be exchanged. "
                "Name the file itself."
            ) from None
        raise SettingsWrong(f"The key file {path} cannot be read: {error.strerror}.") from None
    try:
        _examine(path, os.fstat(descriptor), kept)
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            data = file.read(_MAX_BYTES + 1)
    finally:
        os.close(descriptor)
    if len(data) > _MAX_BYTES:
        raise SettingsWrong(f"The key file {path} is larger than any key.")
    return data


def _examine(path: Path, found: os.stat_result, kept: Kept) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise SettingsWrong(f"The key file {path} is not a regular file.")
    if found.st_uid not in {os.geteuid(), 0}:
        raise SettingsWrong(
            f"The key file {path} belongs to another user, who could change it. "
            "It must belong to who runs this, or to root."
        )
    if found.st_mode & kept.forbidden:
        others_may, mode = ("read", 600) if kept is Kept.PRIVATE else ("change", 644)
        raise SettingsWrong(f"Others may {others_may} the key file {path}. Run: chmod {mode} {path}")


def only_pem(path: Path, data: bytes) -> tuple[str, bytes]:
    """Label (such as PUBLIC KEY) and bytes of the one PEM block that a key file must consist of.

    Raises:
        SettingsWrong: there is none, or anything before or after it.
    """
    found = _PEM.fullmatch(data)
    if found is None:
        raise SettingsWrong(f"The key file {path} must hold one key in PEM and nothing else; it does not.")
    return found.group(1).decode("ascii"), data.strip() + b"\n"


def make_folder(folder: Path) -> None:
    """Make a folder for keys, 0700; one that is there must be ours alone. Raises Refused."""
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700, parents=True)
        folder.chmod(0o700)
    found = folder.stat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise Refused(f"{folder} is no folder in which only this user may write; keys are not put there.")


def write_key_file(path: Path, data: bytes, kept: Kept) -> None:
    """Write a new key file: 0600 if private, 0644 if public, on the disk on return.

    Raises:
        Refused: there is something of that name.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags, 0o600)
    except FileExistsError:
        raise Refused(already_there(path)) from None
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(file.fileno(), 0o600 if kept is Kept.PRIVATE else 0o644)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Names of new and replaced files are on the disk on return."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def already_there(path: Path) -> str:
    """Why a key is not written: what a lost key sealed is lost too."""
    return f"{path} is there already and is never overwritten: what it sealed opens with nothing else."
