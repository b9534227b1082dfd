"""Every account of a faulty night ends as it must; proof/test_faults_in_full.py has 2,000 of them."""

from collections import Counter
from pathlib import Path

from esg_assets_tests.e2e.fault_nights import night


def test_every_account_of_a_faulty_night_ends_as_it_must(tmp_path: Path) -> None:
    found = night(tmp_path, accounts=400)
    print(found.told)  # noqa: T201  # to be compared with the rate; no clock is asserted on
    assert found.rows == found.expected
    assert found.stats["refused"] == 0
    statuses = Counter(row["processing_status"] for row in found.rows.values())
    assert min(statuses[status] for status in ("SUCCESS", "NOT_RATED", "FAILED")) > 0
