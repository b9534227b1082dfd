"""Settings of judgement and company: limits of the checks, the schedule, alerts, links."""

from datetime import time
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field

from esg_assets.settings.deployment import DEFAULT_HOME
from esg_assets.settings.urls import (
    Endpoint,
    Link,
    OtlpHeaders,
    PushUrl,
    SmtpUrl,
    TelemetryUrl,
    Token,
    Webhook,
)
from esg_assets.settings.values import Addresses, AlertRoutes, ClockTime, Count, Days, PemFile, Percent, Rate

PAGERDUTY_URL = "https://events.pagerduty.com/v2/enqueue"
NO_SITE = "none"


def _site_in_home(data: dict[str, Any]) -> str:
    home: Path = data.get("dagster_home", DEFAULT_HOME)
    return str(home.absolute() / "site")


def _site_folder(text: str) -> str:
    if "://" in text:
        raise ValueError("a folder of this machine, or `none`; copy the folder where it is to be served from")
    return text if text == NO_SITE else str(Path(text).absolute())


SiteFolder = Annotated[str, AfterValidator(_site_folder)]


class Limits(BaseModel):
    """Where the checks warn, alert and stop."""

    failure_rate_warn: Rate = Field(default=0.01, description="share of FAILED accounts that warns")
    failure_rate_error: Rate = Field(default=0.05, description="share of FAILED accounts that alerts")
    failure_rate_block: Rate = Field(
        default=0.5, description="share of FAILED accounts that stops publication"
    )
    not_rated_rate_block: Rate = Field(
        default=0.5,
        description="share of NOT_RATED accounts that stops publication (a wrong base URL answers 404)",
    )
    not_rated_rise_block: Rate = Field(
        default=0.1, description="its rise against the previous report that stops publication"
    )
    accounts_change_warn: Rate = Field(default=0.1, description="change of the account count that warns")
    accounts_drop_block: Rate = Field(
        default=0.25, description="fall of the account count that stops the run"
    )
    min_coverage_pct: Percent = Field(
        default=65, description="below it an account's scores stay out of averages"
    )
    min_cell: Count = Field(
        default=10,
        description="a score, or any figure about a group of clients, over fewer accounts is not shown in the"
        " clear (counts by status and reason always are)",
    )


class Timetable(BaseModel):
    """When the report is due, and what is made up for."""

    report_deadline: ClockTime = Field(
        default=time(7, 0), description="local Central time by which the day's report must exist"
    )
    catchup_days: Days = Field(default=3, description="missed days that the schedule makes up for")
    max_date_attempts: Count = Field(
        default=6, description="runs of one date that the schedule starts before it gives up with an incident"
    )


class Channels(BaseModel):
    """Who is told, and how."""

    alert_email_dev: Addresses = Field(default=(), description="the developers' addresses, comma-separated")
    alert_email_business: Addresses = Field(default=(), description="the readers' addresses, comma-separated")
    alert_email_from: Addresses = Field(
        default=(), description="the sender's address; required with ESG_SMTP_URL"
    )
    alert_routes: AlertRoutes | None = Field(
        default=None,
        description="severity and audience → channels, a `.yaml` file or inline YAML:"
        " `ERROR: {business: [email]}`; what it leaves out keeps its default",
        json_schema_extra={"shown_default": "table in docs"},
    )
    smtp_url: SmtpUrl | None = Field(
        default=None,
        description="`smtp://`, `smtp+starttls://` or `smtps://user:password@host:port`",
    )
    pagerduty_routing_key: Token | None = Field(default=None, description="PagerDuty Events API v2")
    pagerduty_url: Endpoint = Field(
        default=PAGERDUTY_URL,
        description="its address, for tests and proxies",
        json_schema_extra={"shown_default": "the public one"},
    )
    slack_webhook_url: Webhook | None = Field(default=None, description="Slack's incoming webhook")
    apprise_urls: Token | None = Field(
        default=None, description="any other channel: Apprise URLs, comma-separated"
    )
    alert_ca_bundle: PemFile | None = Field(
        default=None,
        description="PEM file with a firm's own CA, trusted besides the machine's by every channel",
    )
    heartbeat_url: Webhook | None = Field(
        default=None,
        description="dead-man's switch: pinged when the day's report is published, with `/fail` when it"
        " failed",
    )
    dagster_url: Link | None = Field(default=None, description="where links to runs lead")
    site_url: Link | None = Field(default=None, description="where links to the readers' pages lead")
    site_folder: SiteFolder = Field(
        default_factory=_site_in_home,
        description="where the readers' pages are written, for a web server or `esg-assets site serve`;"
        " `none` makes no pages",
        json_schema_extra={"shown_default": "`$DAGSTER_HOME/site`"},
    )
    runbook_url: Link | None = Field(
        default=None,
        description="where links to the runbook lead",
        json_schema_extra={"shown_default": "the project's docs"},
    )
    source_url: Link | None = Field(
        default=None,
        description="where the source of the installed version is browsed (`https://git.example/esg/blob/v1`):"
        " the UI's code references lead there",
    )
    metrics_push_url: PushUrl | None = Field(
        default=None,
        description="where `esg-assets metrics push` pushes the metrics: the address of a Prometheus"
        " Pushgateway, `https://user:password@HOST`",
    )
    otel_exporter_otlp_endpoint: TelemetryUrl | None = Field(
        default=None, description="logs are sent there by OTLP over HTTP (protobuf); without `/v1/logs`"
    )
    otel_exporter_otlp_headers: OtlpHeaders | None = Field(
        default=None, description="header fields for it, such as a token: `name=value,name=value`"
    )
    log_format: Literal["auto", "json", "console"] = Field(
        default="auto",
        description="how log lines are written: `json`, for people (`console`), or `auto`: for people on a"
        " terminal, otherwise JSON",
    )
