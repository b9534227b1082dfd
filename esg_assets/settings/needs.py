"""Which settings a command needs, and which it reads at all."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from esg_assets.settings.faults import Fault
from esg_assets.settings.secret_files import unsafe
from esg_assets.settings.urls import source_kind
from esg_assets.settings.values import KeyRef

if TYPE_CHECKING:
    from esg_assets.settings.model import Settings


@dataclass(frozen=True)
class Need:
    """What one command needs.

    Attributes:
        required: fields that must be set.
        calls: it calls both systems, so their credentials must be complete and the key files there.
        reads: fields it reads, None for all.
        dotenv: whether it may read a `.env`.
    """

    required: tuple[str, ...] = ()
    calls: bool = False
    reads: frozenset[str] | None = None
    dotenv: bool = True


_JOB = Need(
    required=("accounts_url", "api_url", "report_recipients", "working_key", "signing_key"), calls=True
)
_READ = frozenset({"env", "dagster_home", "store_url", "signing_key", "verify_keys"})
_READER = Need(reads=_READ, dotenv=False)
_WORKED = {"work_url", "working_key", "former_working_keys"}
_KEEPER = Need(
    required=("signing_key",),
    reads=frozenset(
        {
            *("env", "dagster_home", "store_url", "signing_key", "verify_keys", "retention_years"),
            "database_url",
            # To look whether a reason names an account, where any are kept.
            *_WORKED,
        }
    ),
)

NEEDS: Mapping[str, Need] = {
    "": Need(),
    "run": _JOB,
    "backfill": _JOB,
    "status": Need(),
    "metrics serve": Need(),
    "site build": Need(),
    "site serve": Need(),
    "metrics push": Need(required=("metrics_push_url",)),
    "report list": Need(),
    "history prune": Need(),
    "report failures": Need(),
    "report hold": _KEEPER,
    "report release": _KEEPER,
    "report expire": _KEEPER,
    "report reseal": replace(_KEEPER, dotenv=False),
    "keys public": Need(required=("signing_key",)),
    "keys rotate": Need(required=("working_key",)),
    "report archive": Need(required=("report_recipients", "working_key", "signing_key")),
    "report accept-restore": Need(required=("signing_key",)),
    "report verify": _READER,
    "report decrypt": _READER,
    "report account": _READER,
    "report diff": _READER,
    "report reproduce": replace(_READER, reads=_READ | _WORKED),
}
"""By command, as it is typed behind `esg-assets`; "" for what needs nothing by itself."""

_CREDENTIALS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "accounts": {
        "oauth2": ("accounts_token_url", "accounts_client_id", "accounts_client_secret"),
        "api_key": ("accounts_api_key",),
        "bearer": ("accounts_token",),
        "mtls": ("accounts_client_cert", "accounts_client_cert_key"),
        "none": (),
    },
    "api": {
        "oauth2": ("api_token_url", "api_client_id", "api_client_secret"),
        "api_key": ("api_key",),
        "bearer": ("api_bearer_token",),
        "mtls": ("api_client_cert", "api_client_cert_key"),
        "none": (),
    },
}


def missing(settings: "Settings", command: str) -> list[Fault]:
    """What `command` still needs: settings that are not set, key files that are not there or not safe.

    A setting that was given and is wrong is among `Settings.faults` and not repeated here.
    """
    from esg_assets.settings.model import variable_of  # noqa: PLC0415 - it needs this module

    need = NEEDS[command]
    refused = {fault.setting for fault in settings.faults}
    faults = []
    for field, why in _required(settings, need):
        name = variable_of(field)
        if not getattr(settings, field) and name not in refused:
            description = type(settings).model_fields[field].description or ""
            wanted = f"{name} is not set{why}; wanted: {description}"
            faults.append(Fault(name, f"{wanted} ({_where(settings, need)})"))
    if need.calls:
        faults += [Fault(variable_of(field), text) for field, text in _key_file_faults(settings)]
    return faults


def _where(settings: "Settings", need: Need) -> str:
    """Where a setting is given that is not."""
    dotenv = need.dotenv and settings.env != "prod"
    return "set it in the environment" + (", or in .env of the working folder" if dotenv else "")


def _required(settings: "Settings", need: Need) -> Iterator[tuple[str, str]]:
    for field in need.required:
        yield field, ""
    if not need.calls:
        return
    for field in _CREDENTIALS["api"][settings.api_auth]:
        yield field, f" (ESG_API_AUTH is {settings.api_auth})"
    url = settings.accounts_url
    if url is not None and source_kind(url.get_secret_value()) == "http":
        for field in _CREDENTIALS["accounts"][settings.accounts_auth]:
            yield field, f" (ESG_ACCOUNTS_AUTH is {settings.accounts_auth})"
    if settings.signing_key is not None and settings.signing_key.arn and not settings.verify_keys:
        yield "verify_keys", " (ESG_SIGNING_KEY is in KMS, so there is no file beside it)"


def _key_file_faults(settings: "Settings") -> Iterator[tuple[str, str]]:
    keys: list[tuple[str, KeyRef | None, bool]] = [
        ("working_key", settings.working_key, True),
        *(("former_working_keys", key, True) for key in settings.former_working_keys),
        ("signing_key", settings.signing_key, True),
        *(("report_recipients", key, False) for key in settings.report_recipients),
        *(("verify_keys", KeyRef(path=key.path), False) for key in settings.verify_keys),
    ]
    for field, key, secret in keys:
        problem = "" if key is None else key_file_problem(key, secret=secret)
        if problem:
            yield field, f"ESG_{field.upper()} names {key}, which {problem}"


def key_file_problem(key: KeyRef, *, secret: bool) -> str:
    """What is wrong with a key's file ("" if nothing, or if the key is in KMS); reads no content."""
    if key.path is None:
        return ""
    try:
        status = key.path.stat()
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return unsafe(status, secret=secret)
