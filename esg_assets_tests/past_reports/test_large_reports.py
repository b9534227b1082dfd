"""Large reports: memory does not grow with them, and a reader who is killed leaves nothing."""

import datetime as dt
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from esg_assets_tests.adapters.records_material import recipient, records_in, signing_key
from esg_assets_tests.adapters.work_material import DAY, NEXT
from esg_assets_tests.measures import peak_memory_of

ROWS = 150_000
BOUND = 200_000_000
"""Bytes, of which 155 MB are taken with 1,000 rows too. The CSVs have 18 MB each; their rows as objects would
take more than 200 MB on top."""

_PROGRAM = """
import os, sys
from esg_assets.cli import main as cli
out, sys.stdout = sys.stdout, open(os.devnull, "w")
assert cli.run(sys.argv[1:]) == 0
sys.stdout = out
"""
_HEADER = (
    "report_date,as_of,account_id,account_name,account_type,base_currency,market_value,overall_esg_score,"
    "environmental_score,social_score,governance_score,esg_rating,primary_esg_focus,coverage_pct,rating_as_of,"
    "processing_status,reason\r\n"
)


def csv_of(day: dt.date, score: str) -> Iterator[bytes]:
    yield _HEADER.encode()
    for start in range(0, ROWS, 5_000):
        yield "".join(
            f"{day},2026-01-14,ACC-{n:07},Client {n},pension,EUR,{n}.50,{score},50,60.25,40,BBB,social,82.2,"
            f"2025-12-31,SUCCESS,\r\n"
            for n in range(start, start + 5_000)
        ).encode()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Two large reports in which every account differs, and the settings that lead there."""
    folder = tmp_path_factory.mktemp("large")
    house = records_in(folder)
    for day, score in ((DAY, "52.50"), (NEXT, "48")):
        house.publish(day, csv_of(day, score))
    public = signing_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for name, data in (("signing.pub.pem", public), ("recipient.pem", recipient(1)[1].pem)):
        (folder / name).write_bytes(data)
        (folder / name).chmod(0o600)
    for name in ("cwd", "tmp"):
        (folder / name).mkdir()
    with pytest.MonkeyPatch.context() as patch:
        for name in [*os.environ]:
            if name.startswith("ESG_"):
                patch.delenv(name)
        patch.setenv("ESG_ENV", "test")
        patch.setenv("DAGSTER_HOME", f"{folder}/home")
        patch.setenv("ESG_STORE_URL", f"{folder}/store")
        patch.setenv("ESG_VERIFY_KEYS", f"{folder}/signing.pub.pem")
        patch.setenv("TMPDIR", f"{folder}/tmp")
        patch.setenv("PYTHONPATH", str(Path.cwd()))
        patch.chdir(folder / "cwd")
        yield folder


def command(name: str, place: Path) -> list[str]:
    key = ["--key", f"{place}/recipient.pem"]
    if name == "diff":
        return ["report", "diff", str(DAY), str(NEXT), *key]
    return ["report", "account", "--from", str(DAY), "--to", str(NEXT), *key]


@pytest.mark.parametrize("arguments", [["diff"], ["diff", "--json"], ["account"]], ids=" ".join)
def test_memory_does_not_grow_with_the_report(place: Path, arguments: list[str]) -> None:
    name, *flags = arguments
    program = _PROGRAM
    if name == "account":
        program = f"import io, sys\nsys.stdin = io.StringIO('ACC-{ROWS - 1:07}')\n{_PROGRAM}"
    peak = peak_memory_of(program, *command(name, place), *flags)
    print(f"{' '.join(arguments)}: {peak / 1e6:,.0f} MB")  # noqa: T201  # the figure is of interest
    assert peak < BOUND


def files(place: Path) -> dict[str, int]:
    return {str(path): path.stat().st_size for path in place.rglob("*") if path.is_file()}


def test_a_reader_who_is_killed_in_the_midst_leaves_nothing(place: Path) -> None:
    before = files(place)
    program = Path(sys.executable).with_name("esg-assets")
    process = subprocess.Popen(
        [program, *command("diff", place)], stdout=subprocess.PIPE, start_new_session=True
    )
    assert process.stdout is not None
    try:
        lines = [process.stdout.readline() for _ in range(4)]  # the pipe is full soon, and it waits
        assert b"ACC-0000000" in lines[3]
        open_files = {str(each.readlink()) for each in Path(f"/proc/{process.pid}/fd").iterdir()}
        written = {each for each in open_files if each.startswith(str(place)) and "store" not in each}
        assert written == set()
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
    assert files(place) == before
