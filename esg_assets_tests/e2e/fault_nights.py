"""A night on which one try in ten fails, in every way that may pass, and what must come of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from esg_assets.simulators.faults import ENTRY_KINDS, Faults, expected_fault
from esg_assets.simulators.options import Options
from esg_assets.simulators.server import SimulatorServer
from esg_assets_tests.e2e.installation import DAY, Installation

RATE, BURST, ATTEMPTS = 400, 40, 5

PASSING = (
    "500", "502", "503", "504", "timeout", "reset", "cut", "truncated", "empty", "not_json", "wrong_id",
    "out_of_range", "nan", "wrong_type", "missing_field", "duplicate_keys", "future", "oversize",
)  # fmt: skip
LASTING = {"404": "not_covered", "422": "rejected", "500": "unavailable", "truncated": "bad_response",
           "timeout": "timeout", "reset": "unavailable"}  # fmt: skip
FAULTS = ",".join(
    [
        *(f"{kind}={0.1 / len(PASSING):.5f}/call" for kind in PASSING),
        *(f"{kind}=0.006/sticky" for kind in LASTING),
    ]
)


@dataclass(frozen=True)
class Night:
    """What became of it.

    Attributes:
        rows: of the report, by account id.
        expected: what they must be.
        stats: of the simulators.
        seconds: from the first call to the last.
    """

    rows: dict[str, dict[str, str]]
    expected: dict[str, dict[str, str]]
    stats: dict[str, Any]
    seconds: float

    @property
    def told(self) -> str:
        """The figures in one line."""
        calls = self.stats["calls"]
        return (
            f"{len(self.rows):,} accounts, {calls:,} calls in {self.seconds:.2f} s; calls/{RATE} is "
            f"{calls / RATE:.2f} s; {self.stats['refused']} refused for the rate"
        )


def night(folder: Path, accounts: int) -> Night:
    """Run the night, and once more without faults to compare with."""
    options = Options(accounts=accounts, inactive=0, auth="none", rate=RATE, burst=BURST, faults=FAULTS)
    with SimulatorServer(options) as server:
        house = _house(folder / "faulty", server.url)
        house.ask("run", "--date", DAY)
        stats = server.stats(arrivals=True)
        arrivals = stats["arrivals_ms"]
        server.order_faults("")
        calm = _house(folder / "calm", server.url)
        calm.ask("run", "--date", DAY)
        rows = house.rows()
        expected = {account_id: _expected(row) for account_id, row in calm.rows().items()}
    return Night(rows, expected, stats, (arrivals[-1] - arrivals[0]) / 1000)


def _house(home: Path, url: str) -> Installation:
    return Installation.new(
        home,
        url,
        ESG_API_RATE_LIMIT=str(RATE),
        ESG_API_BURST="1",
        ESG_API_TIMEOUT_SECONDS="1",
        ESG_API_MAX_ATTEMPTS=str(ATTEMPTS),
    )


def _expected(calm: dict[str, str]) -> dict[str, str]:
    """The row on the night of one that had no fault in its way."""
    faults, unrated = Faults.parse(FAULTS), calm["processing_status"] == "NOT_RATED"
    met = [expected_fault(faults, calm["account_id"], nth) for nth in range(1, ATTEMPTS + 1)]
    # An account without a rating has nothing that could be spoilt.
    kinds = ["" if fault is None or (unrated and fault.kind in ENTRY_KINDS) else fault.kind for fault in met]
    if "" in kinds and kinds[0] not in {"404", "422"}:
        return calm
    kind = kinds[0]
    assert kind in LASTING, "five faults in a row that pass: choose another seed"
    status = "NOT_RATED" if kind == "404" else "FAILED"
    kept = (
        "report_date",
        "as_of",
        "account_id",
        "account_name",
        "account_type",
        "base_currency",
        "market_value",
    )
    row = {name: cell if name in kept else "" for name, cell in calm.items()}
    return row | {"processing_status": status, "reason": LASTING[kind]}
