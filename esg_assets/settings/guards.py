"""Rules over several settings, above all what ESG_ENV demands and what `prod` refuses.

All of them fail closed: a rule that cannot be decided counts as broken.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from esg_assets.core.endpoints import is_loopback
from esg_assets.settings.database_transport import (
    LIBPQ_VARIABLES,
    leads_away,
    libpq_variables,
    unverified_postgresql,
)
from esg_assets.settings.faults import Fault
from esg_assets.settings.key_folders import distinct_recipients, recipient_private_keys
from esg_assets.settings.masking import mask_url
from esg_assets.settings.model import Settings, variable_of
from esg_assets.settings.urls import source_kind

_ENDPOINTS = ("accounts_url", "accounts_token_url", "api_url", "api_token_url", "api_proxy")
_STORES = ("store_url", "work_url", "database_url")
_CALLED = (
    "accounts_url",
    "accounts_token_url",
    "api_url",
    "api_token_url",
    "pagerduty_url",
    "slack_webhook_url",
    "heartbeat_url",
    "metrics_push_url",
    "otel_exporter_otlp_endpoint",
)
_DATABASES = ("database_url", "accounts_url")
_TELEMETRY = ("metrics_push_url", "otel_exporter_otlp_endpoint")


_OTHER_ENDPOINTS = (
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "AWS_ENDPOINT_URL_KMS",
    "AWS_ENDPOINT_URL_SECRETS_MANAGER",
    "AWS_ENDPOINT_URL_STS",
    "AWS_ENDPOINT",
    "STORAGE_EMULATOR_HOST",
)
"""Variables of the clouds' own clients that lead them elsewhere."""


def guard(settings: Settings, *, whole: bool = True, environ: Mapping[str, str] | None = None) -> list[Fault]:
    """Every rule that the settings break together.

    Args:
        settings: what was loaded.
        whole: False when only some settings were read, as for `report verify`: then only the rules that
            do not need the others are applied.
        environ: where the variables of the clouds' own clients are.
    """
    environ = environ or {}
    faults = [*_environment_not_given(settings, environ)]
    if settings.env == "prod":
        faults += [*_demo_keys(settings), *_plain_endpoints(environ), *_keys_written_down(environ)]
    if whole:
        faults += _together(settings)
        if settings.env == "prod":
            faults += [*_plain_transport(settings), *_led_elsewhere(settings, environ)]
            faults += _production(settings)
    return faults


def key_paths(settings: Settings) -> list[tuple[str, Path]]:
    """Every file that a key setting names, with the setting's variable."""
    paths = [
        ("ESG_WORKING_KEY", settings.working_key.path if settings.working_key else None),
        *(("ESG_FORMER_WORKING_KEYS", key.path) for key in settings.former_working_keys),
        ("ESG_SIGNING_KEY", settings.signing_key.path if settings.signing_key else None),
        *(("ESG_REPORT_RECIPIENTS", key.path) for key in settings.report_recipients),
        *(("ESG_VERIFY_KEYS", key.path) for key in settings.verify_keys),
    ]
    return [(name, path) for name, path in paths if path is not None]


def is_demo_key(path: Path) -> bool:
    """Whether `esg-assets demo` made this key: its file name says so, as all of them do."""
    return path.name.startswith("demo-")


def may_be_demo_key(path: Path) -> bool:
    """Whether `prod` must take this for a demo key, under another name or behind a link too."""
    real = path.resolve()
    named = (re.search(r"(?<![a-z0-9])demo(?![a-z0-9])", name.lower()) for name in (path.name, real.name))
    return ".demo" in real.parts or any(named)


def text_of(settings: Settings, field: str) -> str:
    """The text of a URL setting, "" if it is not set. May hold credentials."""
    value = getattr(settings, field)
    return "" if value is None else value if isinstance(value, str) else str(value.get_secret_value())


def is_remote(url: str) -> bool:
    """Whether a URL (or path) leads to another machine. A bucket does, wherever its endpoint is."""
    scheme, separator, _ = url.partition("://")
    if not separator or scheme.partition("+")[0] == "sqlite":
        return False
    if scheme in {"s3", "gs"}:
        return True
    try:
        parts = urlsplit(url)
        query = parse_qs(parts.query)
    except ValueError:
        return True
    # libpq takes hosts from the query before those in front of it; a path is a socket of this machine.
    hosts = [*query.get("host", ()), *query.get("hostaddr", ())] or [parts.hostname]
    return "service" in query or not all((host or "").startswith("/") or is_loopback(host) for host in hosts)


def _environment_not_given(settings: Settings, environ: Mapping[str, str]) -> Iterator[Fault]:
    if "env" in settings.model_fields_set:
        return
    reasons = [
        f"{variable_of(field)} leads to another machine ({mask_url(text_of(settings, field))})"
        for field in (*_ENDPOINTS, *_STORES)
        if is_remote(text_of(settings, field))
    ]
    reasons += [
        f"{name} leads {variable_of(field)} to another machine"
        for field in _DATABASES
        if (name := leads_away(text_of(settings, field), environ))
    ]
    reasons += [
        f"{name} names a key that is no demo key"
        for name, path in key_paths(settings)
        if not is_demo_key(path)
    ]
    keys = [settings.working_key, settings.signing_key, *settings.former_working_keys]
    keys += settings.report_recipients
    if any(key is not None and key.arn for key in keys):
        reasons.append("a key is in KMS")
    if reasons:
        yield Fault("ESG_ENV", f"ESG_ENV is not set; wanted: dev, test or prod, because {reasons[0]}")


def _demo_keys(settings: Settings) -> Iterator[Fault]:
    for name, path in key_paths(settings):
        if may_be_demo_key(path):
            yield Fault(name, f"{name} names the demo key {path.name}; ESG_ENV=prod wants real keys")


def _plain_transport(settings: Settings) -> Iterator[Fault]:
    for field in _CALLED:
        parts = urlsplit(text_of(settings, field))
        if parts.scheme == "http" and not (field in _TELEMETRY and is_loopback(parts.hostname)):
            yield Fault(variable_of(field), f"{variable_of(field)} is plain http; ESG_ENV=prod wants https")
    proxy = urlsplit(text_of(settings, "api_proxy"))
    if proxy.scheme == "http" and proxy.username is not None:
        # Without credentials a plain proxy only sees TLS pass through it.
        yield Fault(
            "ESG_API_PROXY", "ESG_API_PROXY sends a password over plain http; ESG_ENV=prod wants https"
        )
    for field in _DATABASES:
        url = text_of(settings, field)
        if wanted := unverified_postgresql(url):
            yield Fault(
                variable_of(field),
                f"{variable_of(field)} leads to PostgreSQL without verified TLS ({mask_url(url)});"
                f" ESG_ENV=prod wants {wanted}",
            )
    if urlsplit(text_of(settings, "smtp_url")).scheme == "smtp":
        yield Fault(
            "ESG_SMTP_URL", "ESG_SMTP_URL is plain SMTP; ESG_ENV=prod wants smtp+starttls:// or smtps://"
        )


def _plain_endpoints(environ: Mapping[str, str]) -> Iterator[Fault]:
    for name in _OTHER_ENDPOINTS:
        url = environ.get(name, "").strip()
        if url and not url.lower().startswith("https://"):
            yield Fault(name, f"{name} is not https; ESG_ENV=prod wants https, or the cloud's own endpoint")


def _led_elsewhere(settings: Settings, environ: Mapping[str, str]) -> Iterator[Fault]:
    for field in _DATABASES:
        for name in libpq_variables(text_of(settings, field), environ):
            yield Fault(
                name,
                f"{name} is set, and would change where or how {variable_of(field)} connects;"
                f" ESG_ENV=prod wants it unset, or {LIBPQ_VARIABLES[name]}=… in the URL",
            )


def _keys_written_down(environ: Mapping[str, str]) -> Iterator[Fault]:
    if environ.get("SSLKEYLOGFILE"):
        yield Fault(
            "SSLKEYLOGFILE",
            "SSLKEYLOGFILE is set: libraries would write down what opens their TLS connections; ESG_ENV=prod"
            " wants it unset",
        )


def _production(settings: Settings) -> Iterator[Fault]:
    if settings.api_auth == "none":
        yield Fault(
            "ESG_API_AUTH", "ESG_API_AUTH is none; ESG_ENV=prod wants oauth2, api_key, bearer or mtls"
        )
    if settings.report_recipients and distinct_recipients(settings.report_recipients) < 2:  # noqa: PLR2004 - two, so that one lost key is not the end
        yield Fault(
            "ESG_REPORT_RECIPIENTS",
            "ESG_REPORT_RECIPIENTS names fewer than two different recipients; ESG_ENV=prod wants two or more",
        )
    if settings.signing_key is not None and not settings.verify_keys:
        yield Fault("ESG_VERIFY_KEYS", "ESG_VERIFY_KEYS is not set; ESG_ENV=prod wants the keys named")
    named = [settings.api_client_cert_key, settings.accounts_client_cert_key]
    if settings.signing_key is not None:
        named.append(settings.signing_key.path)
    folders = {path.parent for _, path in key_paths(settings)}
    for file in recipient_private_keys(folders, settings.report_recipients, [path for path in named if path]):
        yield Fault(
            "ESG_REPORT_RECIPIENTS",
            f"{file} may be a recipient's private key, in a folder that a key setting names; ESG_ENV=prod"
            " wants it off this host",
        )


def _together(settings: Settings) -> Iterator[Fault]:
    steps = (settings.failure_rate_warn, settings.failure_rate_error, settings.failure_rate_block)
    if list(steps) != sorted(steps):
        yield Fault(
            "ESG_FAILURE_RATE_ERROR",
            f"ESG_FAILURE_RATE_WARN, _ERROR and _BLOCK hold {steps[0]:g}, {steps[1]:g} and {steps[2]:g};"
            " wanted: each at least as high as the one before",
        )
    if settings.smtp_url is not None and len(settings.alert_email_from) != 1:
        yield Fault(
            "ESG_ALERT_EMAIL_FROM", "ESG_ALERT_EMAIL_FROM: wanted: one address, because ESG_SMTP_URL is set"
        )
    for system in ("api", "accounts"):
        pair = (f"{system}_client_cert", f"{system}_client_cert_key")
        if (getattr(settings, pair[0]) is None) != (getattr(settings, pair[1]) is None):
            yield Fault(
                variable_of(pair[1]),
                f"{variable_of(pair[0])} and {variable_of(pair[1])}: wanted: both or none",
            )
    if settings.accounts_auth == "none" and _http_source(settings):
        for field in ("accounts_token", "accounts_api_key", "accounts_client_secret"):
            if getattr(settings, field) is not None:
                yield Fault(
                    "ESG_ACCOUNTS_AUTH", f"ESG_ACCOUNTS_AUTH is none although {variable_of(field)} is set"
                )


def _http_source(settings: Settings) -> bool:
    return (
        settings.accounts_url is not None and source_kind(settings.accounts_url.get_secret_value()) == "http"
    )
