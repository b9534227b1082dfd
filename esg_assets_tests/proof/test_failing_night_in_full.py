"""10,000 failing accounts in one night: blocked, and published with a failure rate above ERROR."""

from pathlib import Path

import pytest

from esg_assets_tests.failing_night import hold

pytestmark = pytest.mark.proof


@pytest.mark.parametrize(
    ("failing", "of"), [(10_000, 10_000), (10_000, 21_000)], ids=["blocked", "published"]
)
def test_10000_failing_accounts_are_one_page_one_mail_each_and_one_end(
    tmp_path: Path, failing: int, of: int
) -> None:
    hold(tmp_path, failing, of)
