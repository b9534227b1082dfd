"""The site of a year made anew, and of a night after that: seconds, memory, and pages that are written."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

YEAR = """
import json, sys, time
from datetime import timedelta
from pathlib import Path
from esg_assets.site.building import build
from esg_assets.site.made_of import Links
from esg_assets_tests.fake_history import MemoryHistory
from esg_assets_tests.site.extremes import decade
from esg_assets_tests.site.month import LAST, month

kept = month().details(month().latest(LAST).published)
history, found = MemoryHistory(), []
def timed(reports):
    for past in reports:
        history.record_publication(past.published, past.figures)
        history.record_details(past.published, kept)
    started, cpu = time.monotonic(), time.process_time()
    pages = build(history, Path(sys.argv[1]), Links()).pages
    taken = {"seconds": time.monotonic() - started, "cpu_seconds": time.process_time() - cpu}
    found.append({"pages": pages, **{name: round(n, 2) for name, n in taken.items()}})
reports = decade()[-365:]
timed(reports[:-1])
timed(reports[-1:])
timed([])
(peak,) = [line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line]
print(json.dumps({"builds": found, "peak_mib": int(peak) // 1024}))
"""


@pytest.mark.proof
def test_a_year_is_made_in_minutes_and_a_night_in_seconds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", YEAR, str(tmp_path)], stdout=subprocess.PIPE, check=True, text=True
    )
    found = json.loads(done.stdout.splitlines()[-1])
    with capsys.disabled():
        print(f"\n{found}")  # noqa: T201  # the figures are what the proof is for
    year, night, nothing = found["builds"]
    assert year["pages"] >= 2 * 364
    assert year["cpu_seconds"] < 300
    assert night["pages"] <= 8
    assert night["cpu_seconds"] < 15
    assert (nothing["pages"], nothing["cpu_seconds"] < 3) == (0, True)
    assert found["peak_mib"] < 600
