"""`make bench`: ours and its peers on the same accounts and the same server, in one go.

Writes docs/benchmarks.md and its plot; everything else goes below .bench, which git ignores.
"""

import argparse
import datetime as dt
import os
import platform
import subprocess
import sys
from pathlib import Path

from esg_assets_tests.bench import nginx, peers, plot, report, series
from esg_assets_tests.bench.running import ROOT, Contender, ContenderFailed

MODULES = "esg_assets_tests.bench.contenders."
PACKAGES_OF_OURS = ["pyreqwest", "pyarrow", "aws-encryption-sdk"]
PACKAGES_OF_PEERS = ["aiohttp", "aiolimiter", "requests", "tenacity", "dlt"]
PLOT = "benchmarks.svg"


def main() -> int:
    """Run what the options ask for; 1 if it could not be run."""
    options = _options()
    try:
        path = nginx.find_or_install()
        python = peers.install(ROOT / ".bench" / "peers")
        return _bench(options, path, python)
    except (nginx.NginxMissing, ContenderFailed, subprocess.CalledProcessError) as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m esg_assets_tests.bench", description=__doc__)
    parser.add_argument(
        "--n", type=int, nargs="+", default=[1_000, 3_000, 10_000], help="numbers of accounts"
    )
    parser.add_argument(
        "--large", type=int, default=100_000, help="one more size, once and without the limit; 0 for none"
    )
    parser.add_argument(
        "--long", type=int, default=50_000, help="one more size, once and under the limit; 0 for none"
    )
    parser.add_argument(
        "--rounds", type=int, default=3, help="interleaved rounds, of which medians are taken"
    )
    parser.add_argument("--rate", type=float, default=500.0, help="calls/s of the limited runs")
    parser.add_argument("--in-flight", type=int, default=32, help="calls in flight at most, for everybody")
    parser.add_argument("--quick", action="store_true", help="two small sizes, one round, docs left alone")
    parser.add_argument("--docs", type=Path, default=ROOT / "docs", help="where benchmarks.md is written")
    options = parser.parse_args()
    if options.quick:
        options.n, options.rounds = [200, 1_000], 1
        options.large = options.long = 0
        options.docs = ROOT / ".bench" / "quick"
    options.n = sorted(set(options.n))
    return options


def contenders(python: str) -> list[Contender]:
    """Ours first, then the peers under their own interpreter."""
    return [
        Contender("ours", MODULES + "ours", paced=True),
        Contender("aiohttp + aiolimiter", MODULES + "aiohttp_aiolimiter", python, paced=True),
        Contender(
            "aiohttp + aiolimiter, tuned",
            MODULES + "aiohttp_aiolimiter_50ms",
            python,
            limited_only=True,
            paced=True,
        ),
        Contender("requests + ThreadPool + tenacity", MODULES + "requests_tenacity", python),
        Contender("dlt", MODULES + "dlt_pipeline", python),
    ]


def _bench(options: argparse.Namespace, path: str, python: str) -> int:
    folder = ROOT / ".bench" / "run"
    plan = series.Plan(
        contenders=contenders(python),
        sizes=options.n,
        large=options.large,
        long=options.long,
        rounds=options.rounds,
        rate=options.rate,
        in_flight=options.in_flight,
        folder=folder,
        nginx=path,
    )
    loads = [os.getloadavg()[0]]

    def tell(run: series.Run) -> None:
        loads.append(os.getloadavg()[0])
        limit = f"{run.rate:g}/s" if run.rate else "no limit"
        sys.stdout.write(
            f"{run.contender:34} {run.accounts:>7,} accounts, {limit:>8}: "
            f"{run.calls.span_seconds:7.2f} s calls, {run.cost.cpu_seconds:6.2f} CPU-s, "
            f"{run.cost.peak_mb:4.0f} MB, {run.calls.refusals:,} refused (load {loads[-1]:.1f})\n"
        )
        sys.stdout.flush()

    runs = series.all_rounds(plan, tell)
    repeated = {}
    for contender in plan.contenders:
        repeated[contender.name] = series.repeated_after_a_kill(plan, contender, plan.sizes[-1])
        sys.stdout.write(f"{contender.name:34} repeated after a kill: {repeated[contender.name]:,}\n")
    results = report.Results(
        names=[c.name for c in plan.contenders],
        sizes=plan.sizes,
        large=plan.large,
        long=plan.long,
        rate=plan.rate,
        figures=series.medians(runs),
        repeated=repeated,
        circumstances=_circumstances(plan, python, loads),
    )
    _write(results, options.docs)
    return 0


def _write(results: report.Results, docs: Path) -> None:
    docs.mkdir(parents=True, exist_ok=True)
    panels = {
        "No limit": report.cost_lines(results, 0.0),
        f"Limit {results.rate:g}/s": report.cost_lines(results, results.rate),
    }
    picture = plot.svg(panels, "accounts", "CPU-s per 10,000 calls")
    (docs / PLOT).write_text(picture, encoding="utf-8")
    text = report.document(results, PLOT)
    (docs / "benchmarks.md").write_text(text, encoding="utf-8")
    sys.stdout.write("\n" + text)


def _circumstances(plan: series.Plan, python: str, loads: list[float]) -> list[str]:
    server = subprocess.run([plan.nginx, "-v"], check=True, capture_output=True, text=True).stderr
    versions = {
        **peers.versions(sys.executable, PACKAGES_OF_OURS),
        **peers.versions(python, PACKAGES_OF_PEERS),
    }
    named = ", ".join(f"{name} {version}" for name, version in versions.items())
    sizes = f"--n {' '.join(map(str, plan.sizes))} --large {plan.large} --long {plan.long}"
    command = (
        f"python -m esg_assets_tests.bench {sizes} --rounds {plan.rounds} "
        f"--rate {plan.rate:g} --in-flight {plan.in_flight}"
    )
    machine = (
        f"{_processor()}, {os.cpu_count()} cores, {platform.system()}, the server on "
        f"the same cores; load average {min(loads):.1f} to {max(loads):.1f}"
    )
    return [
        f"- `make bench`, which is `{command}`, on {dt.datetime.now(dt.UTC).date()}.",
        f"- Medians of {plan.rounds} interleaved rounds; the kill and the greatest sizes once for each.",
        f"- {machine}.",
        f"- Python {platform.python_version()}, {server.strip().rpartition('version: ')[2]}, {named}.",
    ]


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


if __name__ == "__main__":
    sys.exit(main())
