"""What single settings are made of: their types, and the functions that read them from text.

Each reader takes the text of an environment variable and raises ValueError with what is wanted, never
with what it got: `esg_assets.settings.loading` adds the setting's name and the masked value. Rules over
several settings live in `esg_assets.settings.guards`, URLs in `esg_assets.settings.urls`.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from esg_assets.core.account_mapping import parse_account_mapping
from esg_assets.core.alerts.routes import parse_routes
from esg_assets.core.errors import SettingsWrong
from esg_assets.core.key_rules import KeyRule, Standing, parse_item, write_item
from esg_assets.core.ratings import Metric

_YAML_BYTES = 1 << 20


@dataclass(frozen=True)
class KeyRef:
    """Where a key is: a file, or a KMS key; exactly one of the two is set.

    Attributes:
        path: the key's file.
        arn: the KMS key's ARN.
    """

    path: Path | None = None
    arn: str | None = None

    def __str__(self) -> str:
        return str(self.path) if self.path is not None else f"aws-kms://{self.arn}"


@dataclass(frozen=True)
class VerifyKey:
    """A public key that chain entries may be signed by.

    Attributes:
        path: the PEM file.
        first: first chain sequence that this is about.
        last: last one, None for no end.
        standing: whether it may sign everything, only reseal entries, or nothing from `first` on.
    """

    path: Path
    first: int = 0
    last: int | None = None
    standing: Standing = Standing.TRUSTED

    def __str__(self) -> str:
        return write_item(str(self.path), KeyRule(self.standing, self.first, self.last))


@dataclass(frozen=True)
class YamlSetting:
    """A setting that holds YAML: given as a file that ends in .yaml or .yml, or inline.

    Attributes:
        data: the mapping it holds.
        path: the file it came from; None for inline text.
    """

    data: Mapping[str, Any] = field(repr=False)
    path: Path | None = None

    @property
    def canonical(self) -> str:
        """The same text for the same content, whatever its order and layout: what a snapshot freezes."""
        return json.dumps(self.data, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)

    def __str__(self) -> str:
        return str(self.path) if self.path is not None else f"inline YAML, {len(self.data)} keys"


def _date(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        # Not date.fromisoformat alone, which takes 20260101 and 2026-W01-1 as well.
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
            return date.fromisoformat(value)
    except ValueError:
        pass  # a shape like a date that is none: refused below, as any other
    raise ValueError("a date as YYYY-MM-DD")


def _clock_time(value: object) -> object:
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)", value)
    if not match:
        raise ValueError("a time as HH:MM, 00:00 to 23:59")
    return time(int(match[1]), int(match[2]))


def _items(value: object) -> object:
    """A comma-separated text as a list; anything else as it is."""
    return [part for item in value.split(",") if (part := item.strip())] if isinstance(value, str) else value


def _metrics(value: object) -> object:
    items = _items(value)
    if not isinstance(items, list):
        return items
    metrics = []
    for item in items:
        match = isinstance(item, str) and re.fullmatch(
            r"([a-z][a-z0-9_]{0,62}):([^:]{1,64}):(higher|lower)", item
        )
        if not match:
            raise ValueError("name:unit:higher|lower, comma-separated, names [a-z][a-z0-9_]{0,62}")
        metrics.append(Metric(match[1], match[2], "higher" if match[3] == "higher" else "lower"))
    names = [metric.name for metric in metrics]
    if len(set(names)) < len(names):
        raise ValueError("each metric once")
    if metrics:
        from esg_assets.core.report import columns  # noqa: PLC0415 - pyarrow's import is slow

        taken = sorted(set(names) & set(columns([])))
        if taken:
            raise ValueError(f"names that are no column of the report; {', '.join(taken)} is one")
    return metrics


def _addresses(value: object) -> object:
    items = _items(value)
    if isinstance(items, list) and any(
        not re.fullmatch(r"[^@\s,<>\"]+@[^@\s,<>\"]+", str(item)) for item in items
    ):
        raise ValueError("mail addresses (name@domain), comma-separated")
    return items


def parse_key(value: str) -> KeyRef:
    """The key that a path or `aws-kms://ARN` names. Raises ValueError with what is wanted."""
    scheme, separator, arn = value.partition("://")
    if not separator:
        return KeyRef(path=Path(value))
    if scheme == "aws-kms" and ":alias/" in arn:
        raise ValueError("the ARN of the key itself, since an alias can be led to another key unseen")
    if scheme != "aws-kms" or not re.fullmatch(r"arn:[A-Za-z0-9\-]+:kms:[^:\s]+:\d+:key/[A-Za-z0-9-]+", arn):
        raise ValueError("a key file, or aws-kms://ARN")
    return KeyRef(arn=arn)


def _key(value: object) -> object:
    return parse_key(value) if isinstance(value, str) else value


def _keys(value: object) -> object:
    items = _items(value)
    if not isinstance(items, list):
        return items
    return [parse_key(item) if isinstance(item, str) else item for item in items]


def parse_verify_key(item: str) -> VerifyKey:
    """The key that an item of ESG_VERIFY_KEYS names. Raises ValueError with what is wanted."""
    file, rule = parse_item(item)
    return VerifyKey(Path(file), rule.first, rule.last, rule.standing)


def _verify_keys(value: object) -> object:
    items = _items(value)
    if not isinstance(items, list):
        return items
    return [parse_verify_key(item) if isinstance(item, str) else item for item in items]


def _yaml(value: object) -> object:
    if not isinstance(value, str):
        return value
    import yaml  # noqa: PLC0415 - few installations set one of these, and every command pays for imports

    path = Path(value) if re.search(r"\.ya?ml$", value) and "\n" not in value else None
    try:
        if path is not None and path.stat().st_size > _YAML_BYTES:
            raise ValueError("a YAML file of at most 1 MiB")
        data = yaml.safe_load(value if path is None else path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        raise ValueError("a readable YAML file (a name that ends in .yaml or .yml), or inline YAML") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise ValueError(f"valid YAML{where}") from None
    if not isinstance(data, dict) or not all(isinstance(key, str) for key in data):
        raise ValueError("a YAML mapping with names as its keys")
    return YamlSetting(data, path)


def _accounts_mapping(value: YamlSetting) -> YamlSetting:
    try:
        parse_account_mapping(value.data)
    except SettingsWrong as error:
        found, _, wanted = str(error).removeprefix("ESG_ACCOUNTS_MAPPING ").partition(". Wanted: ")
        raise ValueError(f"{wanted.rstrip('.')} (it {found})") from None
    return value


def _alert_routes(value: YamlSetting) -> YamlSetting:
    for audiences in value.data.values():
        if not isinstance(audiences, dict) or not all(
            isinstance(channels, list) and all(isinstance(channel, str) for channel in channels)
            for channels in audiences.values()
        ):
            raise ValueError("severity: {audience: [channel, …]}")
    try:
        parse_routes(value.data)
    except SettingsWrong as error:
        found, _, wanted = str(error).removeprefix("ESG_ALERT_ROUTES ").partition(". Wanted: ")
        raise ValueError(f"{wanted.rstrip('.')} (it {found})") from None
    return value


def _pem_file(value: Path) -> Path:
    if not value.is_file():
        raise ValueError("a PEM file that exists")
    return value


Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Rate = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
Years = Annotated[int, Field(ge=1, le=100)]
"""Calendars end: what a date is reckoned from must leave one."""
Days = Annotated[int, Field(ge=0, le=36500)]
LongDays = Annotated[int, Field(ge=90, le=36500)]
"""Detectors look back for weeks, and what they have told of must not be forgotten meanwhile."""
IsoDate = Annotated[date, BeforeValidator(_date)]
ClockTime = Annotated[time, BeforeValidator(_clock_time)]
Metrics = Annotated[tuple[Metric, ...], BeforeValidator(_metrics)]
Addresses = Annotated[tuple[str, ...], BeforeValidator(_addresses)]
Key = Annotated[KeyRef, BeforeValidator(_key)]
Keys = Annotated[tuple[KeyRef, ...], BeforeValidator(_keys)]
VerifyKeys = Annotated[tuple[VerifyKey, ...], BeforeValidator(_verify_keys)]
Yaml = Annotated[YamlSetting, BeforeValidator(_yaml)]
AccountsMapping = Annotated[Yaml, AfterValidator(_accounts_mapping)]
AlertRoutes = Annotated[Yaml, AfterValidator(_alert_routes)]
PemFile = Annotated[Path, AfterValidator(_pem_file)]
Auth = Literal["oauth2", "api_key", "bearer", "mtls", "none"]
