"""Settings of where and on whose behalf the job runs: environment, home, stores, keys, database."""

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field

from esg_assets.settings.masking import SecretUrl
from esg_assets.settings.urls import DatabaseUrl, StoreUrl, Token
from esg_assets.settings.values import Days, Key, Keys, LongDays, VerifyKeys, Years

DEFAULT_HOME = Path(".dagster")


def _in_home(name: str, scheme: str = "") -> Any:
    """A default factory: `name` in DAGSTER_HOME, whose value pydantic has read before."""

    def default(data: dict[str, Any]) -> SecretUrl:
        home: Path = data.get("dagster_home", DEFAULT_HOME)
        return SecretUrl(f"{scheme}{home.absolute() / name}")

    return default


class Environment(BaseModel):
    """Which environment this is, and its home."""

    env: Literal["dev", "test", "prod"] = Field(
        default="dev",
        description="`dev`, `test` or `prod`. Must be given as soon as an API is not on loopback, a store is"
        " remote, or a key is not a demo key (one that `esg-assets demo` made, `demo-…` by name)."
        " `prod` refuses demo keys, plain http and SMTP, ESG_API_AUTH=none, a private key of a recipient in"
        " any folder that a key setting names, fewer than two recipients, and ESG_VERIFY_KEYS left at its"
        " default; it reads no `.env`",
    )
    dagster_home: Path = Field(
        default=DEFAULT_HOME,
        description="Dagster's home; the default is made with mode 0700 and the top-level `dagster.yaml` in"
        " force, one that is given is left alone",
        json_schema_extra={"shown_default": "`./.dagster`"},
    )


class Records(BaseModel):
    """Where things are kept, and the keys they are sealed and signed with."""

    store_url: StoreUrl = Field(
        default_factory=_in_home("store"),
        description="the records: sealed reports and the publication chain; a folder, `s3://bucket/prefix` or"
        " `gs://bucket/prefix`. Only ever added to",
        json_schema_extra={"shown_default": "`$DAGSTER_HOME/store`"},
    )
    work_url: StoreUrl = Field(
        default_factory=_in_home("work"),
        description="sealed snapshots and ratings in work; a folder or a bucket as above",
        json_schema_extra={"shown_default": "`$DAGSTER_HOME/work`"},
    )
    working_days: Days = Field(
        default=35,
        description="days for which the host can open its own working data; then it is re-sealed to the"
        " recipients alone",
    )
    report_recipients: Keys = Field(
        default=(),
        description="who can open reports: comma-separated PEM public-key files and `aws-kms://ARN`",
    )
    working_key: Key | None = Field(
        default=None, description="seals working data: a 32-byte key file (0600) or `aws-kms://ARN`"
    )
    former_working_keys: Keys = Field(
        default=(),
        description="keys that working data may still be sealed with and is opened with: comma-separated"
        " 32-byte key files (0600) and `aws-kms://ARN`; files beside ESG_WORKING_KEY named as it with `.1`,"
        " `.2` and so on behind are taken as well",
    )
    signing_key: Key | None = Field(
        default=None,
        description="signs publications: an Ed25519 PEM file (0600) or `aws-kms://ARN` of the kind"
        " ECC_NIST_EDWARDS25519 or ECC_NIST_P256",
    )
    verify_keys: VerifyKeys = Field(
        default=(),
        description="public keys that entries may be signed by: comma-separated `FILE[@FIRST[-LAST]]`, with"
        " the chain sequences they are good for; `custodian:FILE…` for reseal entries alone,"
        " `revoked:FILE@SEQ` for one that is refused from there on",
        json_schema_extra={"shown_default": "the public file beside ESG_SIGNING_KEY"},
    )
    pseudonym_key: Token | None = Field(
        default=None,
        description="HMAC key for account pseudonyms in logs; none: no account reference at all",
    )
    database_url: DatabaseUrl = Field(
        default_factory=_in_home("history.sqlite", "sqlite:///"),
        description="history and alert outbox: any SQLAlchemy URL; `prod` wants PostgreSQL with"
        " `sslmode=verify-full`, or by a socket of this machine",
        json_schema_extra={"shown_default": "SQLite in `$DAGSTER_HOME`"},
    )
    store_kms_key: str | None = Field(
        default=None,
        description="KMS key that buckets encrypt with at rest: the ARN of an AWS KMS key (SSE-KMS) or the"
        " name of a Cloud KMS key; by default what the bucket says",
        json_schema_extra={"shown_default": "the bucket's own"},
    )
    retention_years: Years = Field(
        default=6,
        description="reports may expire only after this many years from publication; a bucket with object"
        " lock is asked to refuse deletion for as long",
    )
    history_years: Years = Field(
        default=10,
        description="figures and details of a report stay in the history for this many years from"
        " publication, and in any case until all of the report has expired",
    )
    run_record_days: LongDays = Field(
        default=1100, description="records of runs stay in the history for this many days (at least 90)"
    )
    alert_days: LongDays = Field(
        default=400,
        description="alerts that ended, with their messages and receipts, stay for this many days (at least"
        " 90); what is not delivered stays",
    )
