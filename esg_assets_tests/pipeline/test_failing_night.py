"""A night of failing accounts in small; in full it is in proof/test_failing_night_in_full.py."""

from pathlib import Path

import pytest

from esg_assets_tests.failing_night import hold


@pytest.mark.parametrize(("failing", "of"), [(100, 100), (100, 210)], ids=["blocked", "published"])
def test_a_night_of_failures_is_one_page_and_one_mail_to_each_and_one_end(
    tmp_path: Path, failing: int, of: int
) -> None:
    hold(tmp_path, failing, of)
