"""Memory stays bounded whatever the size of a report, in every step; 1 GB in `make proof`."""

from pathlib import Path

import pytest

from esg_assets_tests.bench import sealing

BOUND = 200 * sealing.MB


@pytest.mark.parametrize("megabytes", [30, pytest.param(1_000, marks=pytest.mark.proof)])
def test_sealing_reading_back_verifying_and_opening_stay_below_200_mb(megabytes: int, tmp_path: Path) -> None:
    costs = sealing.measured(megabytes, tmp_path)
    assert set(costs) == set(sealing.STEPS)
    for step, cost in costs.items():
        print(f"{step} of {megabytes} MB: {cost}")  # noqa: T201  # the figures are of interest
    assert {step: cost.peak_bytes for step, cost in costs.items() if cost.peak_bytes >= BOUND} == {}
    (tmp_path / "report.csv").unlink()


def test_the_page_says_every_step_beside_bare_encryption() -> None:
    costs = {step: sealing.Cost(10.0, 5.0, 100 * sealing.MB) for step in sealing.STEPS}
    bare = {"aes-256-gcm": 2e9, "sha256": 1e9}
    text = sealing.document(1_000, costs, bare, [0.5, 1.5])
    assert "| `report decrypt` | 10.0 | 100 | 5.0 | 10 | 100 |" in text
    assert "| `openssl speed -evp aes-256-gcm` | 2,000 | 0.50 |" in text
