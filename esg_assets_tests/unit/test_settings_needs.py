"""What a command needs before it can start."""

from pathlib import Path

import pytest

from esg_assets.core.errors import SettingsWrong
from esg_assets.settings import Settings, load_settings


def load(**variables: str) -> Settings:
    """Settings from these variables alone, in `test`."""
    return load_settings(environ={"ESG_ENV": "test", **variables}, dotenv=None)


def test_a_run_names_everything_it_misses_at_once() -> None:
    with pytest.raises(SettingsWrong) as caught:
        load_settings("run", environ={}, dotenv=None)

    basics = ("ACCOUNTS_URL", "API_URL", "REPORT_RECIPIENTS", "WORKING_KEY", "SIGNING_KEY")
    credentials = ("API_TOKEN_URL", "API_CLIENT_ID", "API_CLIENT_SECRET")
    for name in (*basics, *credentials):
        assert f"ESG_{name} is not set" in str(caught.value)


@pytest.mark.parametrize(
    ("auth", "missing"),
    [
        ("oauth2", {"ESG_API_TOKEN_URL", "ESG_API_CLIENT_ID", "ESG_API_CLIENT_SECRET"}),
        ("api_key", {"ESG_API_KEY"}),
        ("bearer", {"ESG_API_BEARER_TOKEN"}),
        ("mtls", {"ESG_API_CLIENT_CERT", "ESG_API_CLIENT_CERT_KEY"}),
        ("none", set()),
    ],
)
def test_each_way_to_sign_in_names_its_credentials(auth: str, missing: set[str]) -> None:
    faults = load(ESG_API_AUTH=auth).missing_for("run")

    basics = {
        "ESG_ACCOUNTS_URL",
        "ESG_API_URL",
        "ESG_REPORT_RECIPIENTS",
        "ESG_WORKING_KEY",
        "ESG_SIGNING_KEY",
    }
    assert {fault.setting for fault in faults} - basics == missing


def test_a_key_file_that_is_missing_or_readable_by_others_stops_the_run(tmp_path: Path) -> None:
    working = tmp_path / "demo-working.key"
    working.write_bytes(bytes(32))
    working.chmod(0o644)

    faults = load(ESG_WORKING_KEY=str(working), ESG_SIGNING_KEY=str(tmp_path / "none.pem")).missing_for("run")

    texts = {fault.setting: fault.text for fault in faults}
    assert "can be read by others" in texts["ESG_WORKING_KEY"]
    assert "cannot be read (No such file or directory)" in texts["ESG_SIGNING_KEY"]


def test_a_signing_key_in_kms_wants_the_verify_keys_named() -> None:
    key = "aws-kms://arn:aws:kms:us-east-2:123456789012:key/abc"

    assert "ESG_VERIFY_KEYS" in {fault.setting for fault in load(ESG_SIGNING_KEY=key).missing_for("run")}
