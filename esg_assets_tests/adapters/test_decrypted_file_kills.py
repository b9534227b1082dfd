"""SIGKILL while a report of several frames is opened: nothing of it stays in the reader's folder.

On file systems with nameless files and on others, at seeded moments between start and end.
"""

import contextlib
import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from esg_assets_tests.processes import line_from, python_process

SEED = 20260115

# One process that publishes the report and answers each line by a child that opens it there.
ZYGOTE = """
import os, sys, time
from pathlib import Path
from esg_assets.adapters import decrypted_file, nameless_files
from esg_assets.adapters.publications import PublishedReports
from esg_assets_tests.adapters.records_material import Records, opener
from esg_assets_tests.adapters.work_material import DAY

house = Records()
rows = [b"ACC-%07d,%d\\r\\n" % (n, n % 100) for n in range(250_000)]
report = house.publish(DAY, rows)
Path(sys.argv[1]).write_bytes(b"".join(rows))
if sys.argv[2] == "named":
    nameless_files.open_nameless = lambda folder: None

def decrypt(out):
    reports = PublishedReports(house.records, house.reader())
    return decrypted_file.decrypt_to(Path(out), reports.open_report(report, opener()))

started = time.monotonic()
decrypt(sys.argv[1] + ".measured")
print(time.monotonic() - started, flush=True)
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        decrypt(line.strip())
        os._exit(0)
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@pytest.mark.parametrize("kind", ["nameless", "named"])
@pytest.mark.parametrize("kills", [3, pytest.param(50, marks=pytest.mark.proof)])
def test_a_kill_at_any_moment_leaves_nothing_or_the_whole_report(
    kind: str, kills: int, tmp_path: Path
) -> None:
    dice = random.Random(f"{SEED} {kind}")
    with python_process(ZYGOTE, str(tmp_path / "expected.csv"), kind) as process:
        seconds = float(line_from(process))
        expected = (tmp_path / "expected.csv").read_bytes()
        assert len(expected) > 3 << 20
        assert process.stdin is not None
        met = 0
        for number in range(kills):
            folder = tmp_path / f"{number}"
            folder.mkdir()
            print(folder / "report.csv", file=process.stdin, flush=True)
            child = int(line_from(process))
            with _killed_after(dice.uniform(0, seconds), child):
                status = int(line_from(process))
            met += status == -signal.SIGKILL
            assert status in {0, -signal.SIGKILL}
            _assert_nothing_or_whole(folder, expected)
    print(f"{met} of {kills} kills met a process that was opening the report ({kind})")  # noqa: T201  # its count
    assert met >= kills * 0.6


@contextlib.contextmanager
def _killed_after(seconds: float, child: int) -> Iterator[None]:
    time.sleep(seconds)  # a fraction of the second that the opening takes
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    yield


def _assert_nothing_or_whole(folder: Path, expected: bytes) -> None:
    deadline = time.monotonic() + 30  # the watcher of a hidden name is a process that must get its turn
    while (hidden := list(folder.glob(".*"))) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert hidden == []
    assert [path.name for path in folder.iterdir()] in ([], ["report.csv"])
    if (folder / "report.csv").exists():
        assert (folder / "report.csv").read_bytes() == expected
