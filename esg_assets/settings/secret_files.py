"""Secrets and other sensitive files on disk: read only if nobody else can have written or read them."""

import io
import os
import stat
from collections.abc import Mapping
from pathlib import Path

_MOST_LINKS = 20
_SECRET_BYTES = 64 << 10
_DOTENV_BYTES = 1 << 20


def unsafe(status: os.stat_result, *, secret: bool = True) -> str:
    """Why a file with this status must not be believed; "" if it may.

    Where this process is not root's, a file of root that others may read is accepted: so are secrets
    mounted in containers.

    Args:
        status: of the opened file, so that nobody can exchange it in between.
        secret: others must not be able to read it either.
    """
    if not stat.S_ISREG(status.st_mode):
        return "is no regular file"
    if status.st_uid not in {os.geteuid(), 0}:
        return "belongs to another user"
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return "can be written by others (chmod 600)"
    if secret and status.st_uid == os.geteuid() and status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        return "can be read by others (chmod 600)"
    return ""


def unsafe_way(path: Path) -> str:
    """Why somebody else could put another file of ours in this one's place; "" if nobody could.

    Links are followed, as Kubernetes mounts every secret behind two: each must belong to us or to root, and
    so must every folder on the way, which nobody else may write to. A sticky folder is as good, since
    others cannot exchange there what is not theirs.
    """
    ours = {os.geteuid(), 0}
    place, links = Path.cwd() / path, 0
    todo = list(reversed(place.parts[1:]))
    here = Path(place.anchor)
    while todo:
        folder, name = here.stat(), todo.pop()
        here = here.parent if name == ".." else here / name
        status = here.lstat()
        if folder.st_uid not in ours:
            return "is in a folder of another user"
        others = stat.S_IWOTH | (0 if folder.st_gid == os.getegid() else stat.S_IWGRP)
        if folder.st_mode & others and not (folder.st_mode & stat.S_ISVTX and status.st_uid in ours):
            return "is in a folder that others can write to"
        if stat.S_ISLNK(status.st_mode):
            links += 1
            if status.st_uid not in ours:
                return "is behind a link of another user"
            if links > _MOST_LINKS:
                return "is behind a loop of links"
            target = here.readlink()
            here = Path(target.anchor) if target.is_absolute() else here.parent
            todo += reversed(target.parts[1:] if target.is_absolute() else target.parts)
    return ""


def read_secret(path: Path) -> str:
    """The text of a secret's file, without the line break at its end.

    Raises:
        ValueError: what is wrong with it, without any of its content.
    """
    try:
        problem = unsafe_way(path)
    except OSError as error:
        raise ValueError(f"cannot be read ({error.strerror})") from None
    if problem:
        raise ValueError(problem)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise ValueError(f"cannot be read ({error.strerror})") from None
    try:
        problem = unsafe(os.fstat(descriptor))
        data = b"" if problem else os.read(descriptor, _SECRET_BYTES + 1)
    finally:
        os.close(descriptor)
    if problem:
        raise ValueError(problem)
    if len(data) > _SECRET_BYTES:
        raise ValueError("is larger than 64 KiB")
    try:
        text = data.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise ValueError("is not UTF-8 text") from None
    if not text:
        raise ValueError("is empty")
    return text


def read_dotenv(path: Path) -> dict[str, str] | None:
    """The variables of a `.env`, or None if there is none. Nothing in it is expanded.

    Raises:
        ValueError: it is not ours, others can write it, or a line is not NAME=value.
    """
    from dotenv.parser import parse_stream  # noqa: PLC0415 - `verify` and `decrypt` never need it

    try:
        # A link could be put there by somebody else and lead to a file of ours.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ValueError(
            f"cannot be read ({error.strerror}); it must be a file of yours, not a link"
        ) from None
    try:
        status = os.fstat(descriptor)
        problem = unsafe(status, secret=False) or (
            status.st_uid != os.geteuid() and "belongs to another user"
        )
        data = b"" if problem else os.read(descriptor, _DOTENV_BYTES + 1)
    finally:
        os.close(descriptor)
    if problem:
        raise ValueError(f"{problem}; it is not read")
    if len(data) > _DOTENV_BYTES:
        raise ValueError("is larger than 1 MiB")
    try:
        bindings = list(parse_stream(io.StringIO(data.decode("utf-8"))))
    except UnicodeDecodeError:
        raise ValueError("is not UTF-8 text") from None
    broken = next((item.original.line for item in bindings if item.error), None)
    if broken is not None:
        raise ValueError(f"has a line that is not NAME=value (line {broken})")
    return {item.key: item.value for item in bindings if item.key and item.value is not None}


def dotenv_in_force(path: Path, environ: Mapping[str, str]) -> list[str]:
    """Our variables that hold what a `.env` gives them: somebody else loaded it into the environment.

    Dagster's own commands do so with any `.env` in their working folder, and it wins over what was set.
    """
    from dotenv import dotenv_values  # noqa: PLC0415 - only prod asks

    try:
        values = dotenv_values(path)  # as Dagster reads it
    except (OSError, UnicodeDecodeError):
        return []
    return sorted(
        name
        for name, value in values.items()
        if name.startswith(("ESG_", "OTEL_", "DAGSTER_HOME")) and value and environ.get(name) == value
    )
