"""One URL picks the account source."""

import pytest

from esg_assets.adapters.account_sources import open_account_source
from esg_assets.core.errors import SettingsWrong


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://accounts.example.com/api", "http"),
        ("HTTPS://accounts.example.com", "http"),
        ("http://127.0.0.1:8000", "http"),
        ("postgresql+psycopg://user:password@db/accounts", "sql"),
        ("sqlite:///accounts.db", "sql"),
        ("sqlite:///named.csv", "sql"),
        ("accounts.csv", "file"),
        ("/srv/lists/accounts.PARQUET", "file"),
        ("s3://bucket/lists/accounts.csv", "file"),
        ("gs://bucket/lists/accounts.parquet", "file"),
    ],
)
def test_the_url_says_which_source_it_is(url: str, kind: str) -> None:
    assert open_account_source(url).kind == kind


@pytest.mark.parametrize(
    "url", ["", "accounts", "accounts.xlsx", "s3://bucket/key.txt", "ftp://host/accounts.csv"]
)
def test_any_other_url_is_a_wrong_setting(url: str) -> None:
    with pytest.raises(SettingsWrong, match=r"^ESG_ACCOUNTS_URL .*Wanted: "):
        open_account_source(url)
