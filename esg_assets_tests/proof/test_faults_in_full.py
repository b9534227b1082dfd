"""2,000 accounts at 400 calls a second, one try in ten failing in every way that may pass."""

from pathlib import Path

import pytest

from esg_assets_tests.e2e.fault_nights import LASTING, PASSING, night

pytestmark = pytest.mark.proof


def test_every_one_of_2000_accounts_ends_as_it_must(tmp_path: Path) -> None:
    found = night(tmp_path, accounts=2_000)
    print(found.told)  # noqa: T201  # its purpose; no clock is asserted on
    assert found.rows == found.expected
    assert found.stats["refused"] == 0
    assert {row["reason"] for row in found.rows.values()} == {"", *LASTING.values()}
    assert set(PASSING) <= set(found.stats["faults"])
