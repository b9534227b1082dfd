"""Which settings there are, which of them are secret, and their defaults."""

from datetime import date, time

from esg_assets.settings import SECRETS, Settings, load_settings, variable_of

CONTRACT_TEXT = """
ESG_ENV ESG_ACCOUNTS_URL ESG_ACCOUNTS_QUERY ESG_ACCOUNTS_MAPPING ESG_ACCOUNTS_AUTH ESG_ACCOUNTS_TOKEN
ESG_ACCOUNTS_API_KEY ESG_ACCOUNTS_TOKEN_URL ESG_ACCOUNTS_CLIENT_ID ESG_ACCOUNTS_CLIENT_SECRET
ESG_ACCOUNTS_CA_BUNDLE ESG_ACCOUNTS_CLIENT_CERT ESG_ACCOUNTS_CLIENT_CERT_KEY ESG_API_URL ESG_API_AUTH
ESG_API_TOKEN_URL ESG_API_CLIENT_ID ESG_API_CLIENT_SECRET ESG_API_SCOPE ESG_API_AUDIENCE ESG_API_KEY
ESG_API_BEARER_TOKEN ESG_API_CLIENT_CERT ESG_API_CLIENT_CERT_KEY ESG_API_CA_BUNDLE ESG_API_PROXY
ESG_API_RATE_LIMIT ESG_API_BURST ESG_API_CONCURRENCY ESG_API_TIMEOUT_SECONDS ESG_API_MAX_ATTEMPTS
ESG_API_MAX_RETRY_AFTER_SECONDS ESG_API_OUTAGE_SECONDS ESG_API_ACCOUNTS_PER_CALL ESG_API_MAPPING
ESG_METRICS ESG_AS_OF_LAG_DAYS ESG_MAX_RATING_AGE_DAYS ESG_STORE_URL ESG_STORE_KMS_KEY ESG_WORK_URL
ESG_WORKING_DAYS
ESG_REPORT_RECIPIENTS ESG_WORKING_KEY ESG_FORMER_WORKING_KEYS ESG_SIGNING_KEY ESG_VERIFY_KEYS
ESG_PSEUDONYM_KEY ESG_DATABASE_URL
ESG_FAILURE_RATE_WARN ESG_FAILURE_RATE_ERROR ESG_FAILURE_RATE_BLOCK ESG_NOT_RATED_RATE_BLOCK
ESG_NOT_RATED_RISE_BLOCK ESG_ACCOUNTS_CHANGE_WARN ESG_ACCOUNTS_DROP_BLOCK ESG_MIN_COVERAGE_PCT ESG_MIN_CELL
ESG_REPORT_DEADLINE ESG_CATCHUP_DAYS ESG_MAX_DATE_ATTEMPTS ESG_FIRST_DATE ESG_RETENTION_YEARS
ESG_HISTORY_YEARS ESG_RUN_RECORD_DAYS ESG_ALERT_DAYS
ESG_ALERT_EMAIL_DEV ESG_ALERT_EMAIL_BUSINESS ESG_ALERT_EMAIL_FROM ESG_ALERT_ROUTES ESG_SMTP_URL
ESG_PAGERDUTY_ROUTING_KEY ESG_PAGERDUTY_URL ESG_SLACK_WEBHOOK_URL ESG_APPRISE_URLS ESG_HEARTBEAT_URL
ESG_DAGSTER_URL ESG_SITE_URL ESG_RUNBOOK_URL ESG_METRICS_PUSH_URL OTEL_EXPORTER_OTLP_ENDPOINT
OTEL_EXPORTER_OTLP_HEADERS ESG_LOG_FORMAT ESG_ALERT_CA_BUNDLE ESG_SITE_FOLDER ESG_SOURCE_URL DAGSTER_HOME
"""

SECRETS_TEXT = """
ESG_ACCOUNTS_URL ESG_ACCOUNTS_TOKEN ESG_ACCOUNTS_API_KEY ESG_ACCOUNTS_CLIENT_SECRET ESG_API_CLIENT_SECRET
ESG_API_KEY ESG_API_BEARER_TOKEN ESG_API_PROXY ESG_STORE_URL ESG_WORK_URL ESG_PSEUDONYM_KEY ESG_DATABASE_URL
ESG_SMTP_URL ESG_PAGERDUTY_ROUTING_KEY ESG_SLACK_WEBHOOK_URL ESG_APPRISE_URLS ESG_HEARTBEAT_URL
ESG_METRICS_PUSH_URL OTEL_EXPORTER_OTLP_HEADERS
"""


def test_every_setting_of_the_contract_exists_and_no_other() -> None:
    assert sorted(variable_of(name) for name in Settings.model_fields) == sorted(CONTRACT_TEXT.split())


def test_exactly_the_settings_marked_s_are_secret() -> None:
    assert sorted(variable_of(name) for name in SECRETS) == sorted(SECRETS_TEXT.split())


def test_defaults_are_the_contracts() -> None:
    settings = load_settings(environ={}, dotenv=None)

    assert settings.env == "dev"
    assert settings.accounts_query == "SELECT * FROM active_accounts"
    assert (settings.accounts_auth, settings.api_auth) == ("none", "oauth2")
    assert (settings.api_rate_limit, settings.api_burst, settings.api_concurrency) == (50, 1, 64)
    assert (settings.api_timeout_seconds, settings.api_max_attempts) == (30, 5)
    assert (settings.api_max_retry_after_seconds, settings.api_outage_seconds) == (900, 1800)
    assert (settings.as_of_lag_days, settings.max_rating_age_days, settings.working_days) == (1, 366, 35)
    assert (settings.failure_rate_warn, settings.failure_rate_error, settings.failure_rate_block) == (
        0.01,
        0.05,
        0.5,
    )
    assert (settings.not_rated_rate_block, settings.not_rated_rise_block) == (0.5, 0.1)
    assert (settings.accounts_change_warn, settings.accounts_drop_block) == (0.1, 0.25)
    assert (settings.min_coverage_pct, settings.min_cell, settings.retention_years) == (65, 10, 6)
    assert (settings.report_deadline, settings.first_date) == (time(7, 0), date(2026, 1, 1))
    assert (settings.catchup_days, settings.max_date_attempts) == (3, 6)
    assert settings.pagerduty_url == "https://events.pagerduty.com/v2/enqueue"
    assert set(settings.sources().values()) == {"default"}
