"""One end-to-end run at a given size, in a process of its own, so that its peak memory is its own.

The readers' pages are made in a further process, from the history alone, and measured apart.

`python -m esg_assets_tests.proof.scale_run ACCOUNTS` prints one JSON line of figures.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

DAY = date(2026, 1, 15)


def book(path: Path, accounts: int) -> None:
    """Write a Parquet file of that many active accounts."""
    ids = pa.array([f"ACC{n:08d}" for n in range(accounts)])
    columns = {
        "account_id": ids,
        "status": pa.array(["active"] * accounts),
        "account_name": pa.array([f"Account {n}" for n in range(accounts)]),
        "account_type": pa.array(["ira"] * accounts),
        "base_currency": pa.array(["USD"] * accounts),
        "market_value": pa.array([f"{1000 + n % 9000}.25" for n in range(accounts)]),
    }
    pq.write_table(pa.table(columns), path)


def run(accounts: int) -> dict[str, Any]:
    """Run the job for one date against the simulators at full speed."""
    import dagster as dg  # noqa: PLC0415  # after the environment is set

    from esg_assets.adapters.keys import generate  # noqa: PLC0415
    from esg_assets.cli_runs import run_partition  # noqa: PLC0415
    from esg_assets.run_results import result_of  # noqa: PLC0415
    from esg_assets.simulators.options import Options  # noqa: PLC0415
    from esg_assets.simulators.server import SimulatorServer  # noqa: PLC0415

    with (
        tempfile.TemporaryDirectory() as folder,
        SimulatorServer(Options(accounts=1, any_account=True, auth="none")) as server,
    ):
        home = Path(folder)
        generate(home / "keys", prefix="demo-")
        book(home / "book.parquet", accounts)
        os.environ |= {
            "DAGSTER_HOME": folder,
            "ESG_ACCOUNTS_URL": str(home / "book.parquet"),
            "ESG_API_URL": server.url,
            "ESG_API_AUTH": "none",
            "ESG_API_RATE_LIMIT": "100000",
            "ESG_WORKING_KEY": str(home / "keys/demo-working.key"),
            "ESG_SIGNING_KEY": str(home / "keys/demo-signing.pem"),
            "ESG_REPORT_RECIPIENTS": str(home / "keys/demo-recipient.pub.pem"),
        }
        (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
        started, cpu = time.monotonic(), time.process_time()
        with dg.DagsterInstance.get() as instance:
            switches = {"active_accounts": {"current_accounts": True}}
            finished = run_partition(instance, DAY, config=switches, tags={})
            seconds = time.monotonic() - started
            result = result_of(instance, finished, DAY, seconds)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        used = time.process_time() - cpu
        return {
            "accounts": accounts,
            "ok": result.ok,
            "counts": result.counts,
            "calls": result.calls,
            "seconds": round(seconds, 1),
            "cpu_seconds": round(used, 1),
            "cpu_seconds_per_10k": round(used / accounts * 10_000, 2),
            "peak_mib": peak,
            "pages": pages(home / "site"),
        }


MEASURED = """
import json, os
from pathlib import Path
from esg_assets.site_process import main
assert main(None) == 0
# What this process had at most; getrusage would count what its parent had when it began.
(peak,) = [line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line]
print(json.dumps({"cpu_seconds": round(sum(os.times()[:2]), 2), "peak_mib": int(peak) // 1024}))
"""


def pages(site: Path) -> dict[str, float]:
    """Make the pages of what was published, in a process of their own: what it took, and their size."""
    started = time.monotonic()
    made = subprocess.run([sys.executable, "-c", MEASURED], stdout=subprocess.PIPE, check=True, text=True)
    taken: dict[str, float] = json.loads(made.stdout.splitlines()[-1])
    page = site / "reports" / DAY.isoformat() / "index.html"
    return {
        "seconds": round(time.monotonic() - started, 2),
        **taken,
        "report_page_bytes": page.stat().st_size,
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run(int(sys.argv[1]))) + "\n")
