"""The lock files: every package with its version and hashes, made by uv and checked without a network.

    python -m esg_assets_tests.supply_chain.lock --write    # make them again from setup.py
    python -m esg_assets_tests.supply_chain.lock --check    # `make lint`: do they still serve setup.py?

`requirements.lock` is what `make setup` and CI install, with the development packages;
`requirements-run.lock` is the same without these, for a host that only runs. Known vulnerabilities
are the business of `audit`.
"""

import argparse
import importlib
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.markers import Marker, default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

PROJECT = Path(__file__).parents[2]
WITH_DEV, RUN = PROJECT / "requirements.lock", PROJECT / "requirements-run.lock"
WRITE = "python -m esg_assets_tests.supply_chain.lock --write"
PYTHONS = ("3.11", "3.12", "3.13")

_PIN = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(?P<version>[^\s;]+)\s*(?:;\s*(?P<marker>.+))?")
_HASH = re.compile(r"--hash=sha256:(?P<digest>[0-9a-f]{64})")


@dataclass
class Pin:
    """One package of a lock file.

    Attributes:
        name: canonical.
        version: exact.
        marker: where it is wanted; None everywhere.
        hashes: SHA-256 of each file of it that may be installed.
    """

    name: str
    version: Version
    marker: Marker | None
    hashes: list[str] = field(default_factory=list)


@dataclass
class Lock:
    """A lock file as read: its pins, and the lines that have no place in one."""

    pins: list[Pin] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)

    @classmethod
    def parsed(cls, text: str) -> "Lock":
        """Read a lock file of pip's form. What is no pin, hash or comment is kept as strange."""
        lock = cls()
        for raw in text.splitlines():
            line = raw.strip().removesuffix("\\").strip()
            if not line or line.startswith("#"):
                continue
            if found := _PIN.fullmatch(line):
                marker = Marker(found["marker"]) if found["marker"] else None
                lock.pins.append(Pin(canonicalize_name(found["name"]), Version(found["version"]), marker))
            elif (found := _HASH.fullmatch(line)) and lock.pins:
                lock.pins[-1].hashes.append(found["digest"])
            else:
                lock.strange.append(line)
        return lock

    def pin(self, name: str, environment: Mapping[str, str]) -> Pin | None:
        """The pin of a package where `environment` holds, if there is one."""
        for pin in self.pins:
            if pin.name == canonicalize_name(name) and _holds(pin.marker, environment):
                return pin
        return None


def applying(pins: Iterable[Pin]) -> list[Pin]:
    """Those that are wanted on this platform and Python."""
    return [pin for pin in pins if _holds(pin.marker, _environment())]


def wanted(setup: Path = PROJECT / "setup.py", *, dev: bool) -> list[Requirement]:
    """What setup.py asks for, with the extra `dev` or without."""
    # setuptools brings its own distutils, which can read a setup.py without building anything.
    importlib.import_module("setuptools")
    distribution: Any = importlib.import_module("distutils.core").run_setup(str(setup), stop_after="init")
    return [
        Requirement(text)
        for text in [*distribution.install_requires, *(distribution.extras_require["dev"] if dev else [])]
    ]


def faults(lock: Lock, roots: list[Requirement]) -> list[str]:
    """What is wrong with a lock file, each as a sentence; [] if it serves `roots` on every Python.

    The requirements of packages are read from those that are installed here in the pinned version, so
    this needs no network; what belongs to another platform or Python only was resolved by uv.
    """
    found = [f"this is neither a package with its version nor a hash: {line}" for line in lock.strange]
    found += [f"{pin.name} has no hash" for pin in lock.pins if not pin.hashes]
    for python in PYTHONS:
        environment = {**_environment(), "python_version": python, "python_full_version": f"{python}.0"}
        found += [f"{text} (Python {python})" for text in _unmet(lock, roots, environment)]
    return found


def _unmet(lock: Lock, roots: list[Requirement], environment: Mapping[str, str]) -> Iterator[str]:
    waiting = [(root, "setup.py", frozenset({""})) for root in roots]
    seen: set[str] = set()
    while waiting:
        asked, by, extras = waiting.pop()
        if str(asked) + by in seen or not any(
            _holds(asked.marker, {**environment, "extra": e}) for e in extras
        ):
            continue
        seen.add(str(asked) + by)
        pin = lock.pin(asked.name, environment)
        if pin is None:
            yield f"{by} wants {asked}, which is not in it"
        elif not asked.specifier.contains(pin.version, prereleases=True):
            yield f"{by} wants {asked}, and it has {pin.version}"
        else:
            extras_of_it = frozenset({"", *asked.extras})
            waiting += [(each, pin.name, extras_of_it) for each in _requirements(pin)]


def _requirements(pin: Pin) -> list[Requirement]:
    try:
        installed = metadata.distribution(pin.name)
    except metadata.PackageNotFoundError:
        return []
    if Version(installed.version) != pin.version:
        return []
    return [Requirement(text) for text in installed.requires or []]


def _holds(marker: Marker | None, environment: Mapping[str, str]) -> bool:
    return marker is None or marker.evaluate(dict(environment))


def _environment() -> dict[str, str]:
    return {name: str(value) for name, value in default_environment().items()} | {"extra": ""}


def write() -> None:
    """Make both files again; versions that still serve stay as they are."""
    for path, options in ((WITH_DEV, ["--extra", "dev"]), (RUN, ["-c", WITH_DEV.name])):
        command = [str(Path(sys.executable).with_name("uv")), "pip", "compile", "setup.py", *options]
        command += ["--universal", "--python-version", PYTHONS[0], "--generate-hashes", "--no-emit-index-url"]
        # pip with hashes takes `gql[requests]` for pinned only if the pin names the extra too.
        command += [
            "--no-strip-extras",
            "--no-config",
            "--custom-compile-command",
            WRITE,
            "--quiet",
            "--output-file",
            path.name,
        ]
        subprocess.run(command, cwd=PROJECT, check=True)


def check() -> int:
    """Print what is wrong with each file; 0 if nothing is."""
    status = 0
    for path, dev in ((WITH_DEV, True), (RUN, False)):
        lock = Lock.parsed(path.read_text(encoding="utf-8"))
        wrong = faults(lock, wanted(dev=dev))
        status = status or int(bool(wrong))
        told = f"{len(lock.pins)} packages, each with hashes, serve setup.py on {', '.join(PYTHONS)}"
        sys.stdout.write(f"{path.name}: {'; '.join(wrong) + f'. Run: {WRITE}' if wrong else told}\n")
    return status


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    doing = parser.add_mutually_exclusive_group(required=True)
    doing.add_argument("--write", action="store_true", help="make the lock files again from setup.py")
    doing.add_argument("--check", action="store_true", help="check them against setup.py")
    if parser.parse_args().write:
        write()
    return check()


if __name__ == "__main__":
    sys.exit(main())
