"""What a report costs to seal, verify and open: `python -m esg_assets_tests.bench.sealing`.

Each step through the classes that the pipeline and the command line use, on a local store, with two
recipients. Writes docs/sealing_benchmark.md. The CSV is one block of rows over and over: rendering it is no
part of this.
"""

import argparse
import datetime as dt
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from esg_assets.adapters.chain_log import ChainLog
from esg_assets.adapters.decrypted_file import decrypt_to
from esg_assets.adapters.envelope import PrivateKeyEnvelope
from esg_assets.adapters.publications import PublishedReports
from esg_assets.core.ports import RecipientPrivateKey
from esg_assets_tests.adapters.records_material import keyring, recipient, records_in
from esg_assets_tests.adapters.work_material import DAY

DOCUMENT = Path(__file__).parents[2] / "docs" / "sealing_benchmark.md"
MODULE = "esg_assets_tests.bench.sealing"
MB = 1_000_000
STEPS = {
    "seal": "seal and store",
    "read_back": "open what is stored, compare",
    "verify": "`report verify`",
    "decrypt": "`report decrypt`",
}
PROCESSES = ("publish", "verify", "decrypt")
_ROWS = b"".join(b"2026-01-15,2026-01-14,ACC-%07d,Client %d,pension,EUR\r\n" % (n, n) for n in range(18_000))
_KEY = "recipient.json"
_PAGE = """# What sealing costs

A report of {megabytes:,} MB, sealed to two RSA recipients in a local store, read back, verified and
opened by the classes that the pipeline and the command line use. Rendering the CSV is not in it.

| step | s | MB/s | CPU-s | times bare AES | peak MB |
|---|---:|---:|---:|---:|---:|
{rows}

The peak is that of the whole process, interpreter and libraries included. It does not grow with the
report; `make proof` holds it below 200 MB at 1,000 MB. "Times bare AES" compares the CPU seconds with
those that encryption alone takes on one core of the same machine, in the same minutes:

| alone | MB/s | CPU-s for the same bytes |
|---|---:|---:|
{speeds}

Most of the work is not AES. Sealing takes digests of every byte beside it: the message's signature
(SHA-384), the chain's digest of the ciphertext, the commitment and the digest for the read-back
(SHA-256). And the library copies each frame in Python.

- `python -m esg_assets_tests.bench.sealing --megabytes {megabytes}`, on {day}, once.
- {machine}; load average {load}; Python {python}.
"""

Result = TypeVar("Result")


@dataclass(frozen=True)
class Cost:
    """Of one step: seconds by the clock and of the processor, and the largest memory of its process."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int


def measured(megabytes: int, folder: Path) -> dict[str, Cost]:
    """Carry every step out in `folder`, sealing and reading back in one process as a run does."""
    found: dict[str, Cost] = {}
    for name in PROCESSES:
        command = [sys.executable, "-m", MODULE, "--step", name]
        command += ["--megabytes", str(megabytes), "--folder", str(folder)]
        done = subprocess.run(
            command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[2]
        )
        for line in done.stdout.splitlines():
            step, *figures = json.loads(line)
            found[step] = Cost(*figures)
    return found


def _publish(megabytes: int, folder: Path) -> None:
    def chunks() -> Iterator[bytes]:
        left = megabytes * MB
        while left > 0:
            yield _ROWS[:left]
            left -= len(_ROWS)

    house = records_in(folder)
    of, publications = house.snapshot(DAY), house.publications()
    draft = _timed("seal", lambda: publications.draft(of, chunks()))
    read = _timed("read_back", lambda: publications.reads_back(draft, chunks()))
    assert read.equal
    house.finish(publications, draft, of)
    private = recipient(1)[1]
    (folder / _KEY).write_text(json.dumps([private.fingerprint, private.pem.decode()]), encoding="utf-8")


def _verify(_: int, folder: Path) -> None:
    reports = _reports(folder)
    judged = _timed("verify", reports.verify)
    assert judged.ok


def _decrypt(megabytes: int, folder: Path) -> None:
    reports = _reports(folder)
    fingerprint, pem = json.loads((folder / _KEY).read_text(encoding="utf-8"))
    opener = PrivateKeyEnvelope(RecipientPrivateKey(fingerprint, pem.encode()))

    def open_it() -> int:
        return decrypt_to(folder / "report.csv", reports.open_report(reports.version(DAY), opener))

    assert _timed("decrypt", open_it) == megabytes * MB


def _reports(folder: Path) -> PublishedReports:
    store = records_in(folder).records
    return PublishedReports(store, ChainLog(store, None, keyring(), "test"))


def _timed(step: str, act: Callable[[], Result]) -> Result:
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak begins anew
    clock, cpu = time.perf_counter(), time.process_time()
    result = act()
    peak = _peak_bytes()
    figures = [time.perf_counter() - clock, time.process_time() - cpu, peak]
    sys.stdout.write(json.dumps([step, *figures]) + "\n")
    return result


def _peak_bytes() -> int:
    """Not getrusage's: a process inherits that of the one that started it."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found
    return int(found[1]) * 1024


def openssl(name: str) -> float:
    """Bytes per second of one core, in blocks of 1 MiB, by `openssl speed`."""
    command = ["openssl", "speed", "-evp", name, "-bytes", str(1 << 20), "-seconds", "2"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found = re.search(r"([\d.]+)k\s*$", done.stdout)
    assert found, done.stdout
    return float(found[1]) * 1000


def document(megabytes: int, costs: dict[str, Cost], bare: dict[str, float], loads: Sequence[float]) -> str:
    """The figures as a page."""
    size, aes = megabytes * MB, megabytes * MB / bare["aes-256-gcm"]
    rows = [
        f"| {STEPS[step]} | {cost.seconds:.1f} | {megabytes / cost.seconds:,.0f} | {cost.cpu_seconds:.1f} | "
        f"{cost.cpu_seconds / aes:.0f} | {cost.peak_bytes / MB:.0f} |"
        for step, cost in costs.items()
    ]
    speeds = [
        f"| `openssl speed -evp {name}` | {speed / MB:,.0f} | {size / speed:.2f} |"
        for name, speed in bare.items()
    ]
    return _PAGE.format(
        megabytes=megabytes,
        rows="\n".join(rows),
        speeds="\n".join(speeds),
        day=dt.datetime.now(dt.UTC).date(),
        machine=f"{os.cpu_count()} cores of {platform.machine()}, {platform.system()}",
        load=f"{min(loads):.1f} to {max(loads):.1f}",
        python=platform.python_version(),
    )


def main() -> int:
    """Measure and write the page, or be one of the processes that are measured."""
    parser = argparse.ArgumentParser(prog="python -m esg_assets_tests.bench.sealing", description=__doc__)
    parser.add_argument("--megabytes", type=int, default=1_000, help="size of the report")
    parser.add_argument("--step", choices=PROCESSES, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        {"publish": _publish, "verify": _verify, "decrypt": _decrypt}[options.step](
            options.megabytes, options.folder
        )
        return 0
    loads = [os.getloadavg()[0]]
    with tempfile.TemporaryDirectory(prefix="esg-sealing-") as folder:
        costs = measured(options.megabytes, Path(folder))
    bare = {name: openssl(name) for name in ("aes-256-gcm", "sha256", "sha384")}
    loads.append(os.getloadavg()[0])
    text = document(options.megabytes, costs, bare, loads)
    DOCUMENT.write_text(text, encoding="utf-8")
    sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
