"""Prometheus, Alertmanager and Pushgateway from Debian's packages: found on the machine, or unpacked here.

Unpacking needs neither root nor a started service: the packages' programs are static. Where the packages
cannot be had the tests fail, and say what to install.
"""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

PACKAGES = {
    "prometheus": ("prometheus", "promtool"),
    "prometheus-alertmanager": ("prometheus-alertmanager", "amtool"),
    "prometheus-pushgateway": ("prometheus-pushgateway",),
}
NAMES = [name for names in PACKAGES.values() for name in names]


class NoPrograms(RuntimeError):
    """The packages cannot be had; says why."""


def installed(folder: Path) -> Mapping[str, Path]:
    """Every program by its name; those that are missing are unpacked into `folder`, once for all."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder / ".lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        missing = [name for name in NAMES if _found(name, folder) is None]
        packages = [package for package, names in PACKAGES.items() if {*names} & {*missing}]
        if packages:
            _unpack(packages, folder)
    finally:
        os.close(lock)
    found = {name: _found(name, folder) for name in NAMES}
    if lost := [name for name, path in found.items() if path is None]:
        raise NoPrograms(f"Debian's packages hold no {', '.join(lost)}")
    return {name: path for name, path in found.items() if path is not None}


def _found(name: str, folder: Path) -> Path | None:
    unpacked = folder / "usr" / "bin" / name
    on_path = shutil.which(name)
    return unpacked if unpacked.exists() else None if on_path is None else Path(on_path)


def _unpack(packages: Sequence[str], folder: Path) -> None:
    wanted = f"apt-get install {' '.join(packages)}"
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise NoPrograms(f"not on this machine, and it is no Debian to get them from; wanted: {wanted}")
    download = ["apt-get", "download", "-q", *packages]
    ran = _run(download, folder)
    if ran.returncode:  # perhaps the lists of packages are old, or none
        _run(["apt-get", "update", "-q"], folder)
        ran = _run(download, folder)
    if ran.returncode:
        raise NoPrograms(f"not on this machine and not to be had ({ran.stderr[-500:]}); wanted: {wanted}")
    for package in folder.glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", package, folder], check=True, capture_output=True)
        package.unlink()


def _run(command: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True, timeout=120)
