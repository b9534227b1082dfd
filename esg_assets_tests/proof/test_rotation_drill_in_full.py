"""The drill in full: 24 rotations of every key over 500 reports."""

import sys

import pytest

from esg_assets_tests.rotation_drill import drill


@pytest.mark.proof
def test_24_rotations_over_500_reports_leave_everything_readable(
    capsys: pytest.CaptureFixture[str],
) -> None:
    result = drill(reports=500, rotations=24)
    with capsys.disabled():
        sys.stdout.write(f"\n{result}\n")
    assert result.faults == []
    assert (result.opened, result.keys) == (500, 25)
