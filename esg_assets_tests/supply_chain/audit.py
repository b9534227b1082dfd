"""Known vulnerabilities in what we build on: pip-audit over the lock file, told honestly.

    python -m esg_assets_tests.supply_chain.audit               # `make lint`
    python -m esg_assets_tests.supply_chain.audit --required    # `make lint AUDIT=required`

pip-audit calls a package that its service does not know "skipped", and then reports that nothing was
found. So a service is first asked for a release that is known to be vulnerable, and counts only if it
says so. Where none does (no network, an index without the data), "NOT AUDITED" is printed, and the
exit status is 0, or 3 with --required. What is locked, and how, is the business of `lock`.
"""

import argparse
import datetime as dt
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from esg_assets_tests.supply_chain.lock import PROJECT, WITH_DEV

ACCEPTED = PROJECT / ".ci" / "accepted_vulnerabilities.yaml"
CANARY = "jinja2==2.11.2"
"""Known to be vulnerable since 2021; never installed, only asked for."""

FOUND, NOT_AUDITED = 1, 3
_SECONDS = 10


class Unanswered(Exception):
    """No service answered; the text says what each did."""


@dataclass(frozen=True)
class Finding:
    """One known vulnerability: the package as locked, every id it goes by, and the fixed versions."""

    package: str
    version: str
    ids: tuple[str, ...]
    fixed_in: tuple[str, ...]

    def __str__(self) -> str:
        """As it is printed."""
        fixed = f"fixed in {', '.join(self.fixed_in)}" if self.fixed_in else "no fix is out"
        return f"{self.package} {self.version}: {' = '.join(self.ids)}, {fixed}"


@dataclass(frozen=True)
class Accepted:
    """A finding that is lived with, for a reason and until a date."""

    id: str
    package: str
    reason: str
    until: dt.date


@dataclass(frozen=True)
class Audit:
    """What a service told: which service, how many packages it knew, whom it did not, and what it found."""

    service: str
    audited: int
    unknown: tuple[str, ...]
    findings: tuple[Finding, ...]


def accepted(path: Path = ACCEPTED) -> list[Accepted]:
    """The findings that are lived with. Raises ValueError for an entry that is not whole."""
    entries = (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("accepted") or []
    whole = {"id": str, "package": str, "reason": str, "until": dt.date}
    for entry in entries:
        if set(entry) != set(whole) or any(not isinstance(entry[name], kind) for name, kind in whole.items()):
            raise ValueError(f"{path.name}: an entry has exactly {', '.join(whole)} (a date): {entry}")
        if not entry["reason"].strip():
            raise ValueError(f"{path.name}: {entry['id']} has no reason")
    return [Accepted(**entry) for entry in entries]


def audit(lock: Path = WITH_DEV, osv_url: str | None = None) -> Audit:
    """Ask the first service that answers about every package of a lock file.

    Args:
        lock: a file with hashes; nothing is resolved or installed.
        osv_url: another address of the service OSV, which is then the only one asked.

    Raises:
        Unanswered: none did.
    """
    said = []
    for service in ("osv",) if osv_url else ("pypi", "osv"):
        try:
            told = _asked_for_canary(service, osv_url)
        except Unanswered as error:
            said.append(f"{service} {error}")
            continue
        if not told:
            said.append(f"{service} does not know that {CANARY} is vulnerable")
            continue
        dependencies = _ask(service, lock, osv_url)
        known = [each for each in dependencies if "skip_reason" not in each]
        unknown = tuple(each["name"] for each in dependencies if "skip_reason" in each)
        return Audit(service, len(known), unknown, tuple(_findings(known)))
    raise Unanswered("; ".join(said))


def judged(
    told: Audit, lived_with: Sequence[Accepted], today: dt.date, *, required: bool
) -> tuple[int, list[str]]:
    """Exit status and lines to print."""
    status, lines, used = 0, [], set()
    for finding in told.findings:
        match = next((a for a in lived_with if a.package == finding.package and a.id in finding.ids), None)
        used |= {match.id} if match else set()
        if match and today < match.until:
            lines.append(f"accepted until {match.until}: {finding}. {match.reason}")
        else:
            lines.append(f"VULNERABLE: {finding}" + (f" (accepted until {match.until})" if match else ""))
            status = FOUND
    for stale in (a for a in lived_with if a.id not in used):
        lines.append(f"{ACCEPTED.name}: nothing has {stale.id} in {stale.package} any more: take it out")
        status = FOUND
    if told.unknown:
        lines.append(f"NOT AUDITED: {told.service} does not know {', '.join(told.unknown)}")
        status = status or (NOT_AUDITED if required else 0)
    lines.append(f"{told.audited} packages audited with {told.service}: {len(told.findings)} findings")
    return status, lines


def _asked_for_canary(service: str, osv_url: str | None) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "canary.txt")
        file.write_text(f"{CANARY}\n", encoding="ascii")
        return any(each.get("vulns") for each in _ask(service, file, osv_url))


def _ask(service: str, requirements: Path, osv_url: str | None) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "pip_audit", "--vulnerability-service", service]
    command += ["--requirement", str(requirements), "--no-deps", "--disable-pip", "--format", "json"]
    command += ["--progress-spinner", "off", "--timeout", str(_SECONDS), "--desc", "off", "--aliases", "on"]
    command += ["--osv-url", osv_url] if osv_url else []
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=PROJECT)
    try:
        dependencies: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        # Its last line names the error; what stands before is a traceback.
        last = done.stderr.strip().rpartition("\n")[2]
        raise Unanswered(
            f"did not answer ({last.partition(':')[0] or f'exit status {done.returncode}'})"
        ) from None
    return dependencies


def _findings(dependencies: Sequence[dict[str, Any]]) -> Iterator[Finding]:
    for each in dependencies:
        for known in each["vulns"]:
            ids = (known["id"], *known.get("aliases", ()))
            yield Finding(each["name"], each["version"], ids, tuple(known.get("fix_versions", ())))


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--required", action="store_true", help="end with 3 if anything was not audited")
    required = parser.parse_args().required
    lived_with = accepted()
    try:
        status, lines = judged(audit(), lived_with, dt.datetime.now(dt.UTC).date(), required=required)
    except Unanswered as error:
        status = NOT_AUDITED if required else 0
        lines = [f"NOT AUDITED: no vulnerability service answers here: {error}."]
        lines.append("Whether a package has a known vulnerability is open. Run this where one does answer.")
    sys.stdout.write("\n".join(lines) + "\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
