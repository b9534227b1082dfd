"""`Settings`: every setting by name, with where it came from and what a command still needs.

The fields stand in `deployment`, `inputs` and `operation`; finding their values is the business of
`loading`. `Settings(...)` by itself looks at nothing but its arguments.
"""

from collections.abc import Mapping, Sequence
from datetime import date, time
from typing import Any, Self

from pydantic import PrivateAttr, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from esg_assets.core.ratings import Metric
from esg_assets.settings.deployment import Environment, Records
from esg_assets.settings.faults import Fault, FieldsWrong, settings_wrong
from esg_assets.settings.inputs import AccountSystem, EsgApi
from esg_assets.settings.masking import MASK, SecretUrl, mask_url
from esg_assets.settings.operation import Channels, Limits, Timetable

_OTHER_NAMES = {
    "dagster_home": "DAGSTER_HOME",
    "otel_exporter_otlp_endpoint": "OTEL_EXPORTER_OTLP_ENDPOINT",
    "otel_exporter_otlp_headers": "OTEL_EXPORTER_OTLP_HEADERS",
}


def variable_of(field: str) -> str:
    """The environment variable of a field: `api_url` → `ESG_API_URL`."""
    return _OTHER_NAMES.get(field, f"ESG_{field.upper()}")


# Later bases come first in pydantic's order of fields, which is the order of every table.
class Settings(Channels, Timetable, Limits, EsgApi, AccountSystem, Records, Environment, BaseSettings):
    """Every setting, parsed and checked; immutable.

    A field is called like its variable in lower case, without `ESG_`. Secrets are SecretStr: use
    `get_secret_value()` where the outside system is called and nowhere else.
    """

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, validate_default=True
    )

    _sources: dict[str, str] = PrivateAttr(default_factory=dict)
    _faults: tuple[Fault, ...] = PrivateAttr(default=())
    _unknown: tuple[str, ...] = PrivateAttr(default=())

    def __init__(self, **values: Any) -> None:
        wanted: list[tuple[str, str]] = []
        try:
            super().__init__(**values)
        except ValidationError as error:
            items = error.errors(include_input=False, include_url=False)
            # A default that is made from other fields is not made while one of those is wrong.
            wanted = [_wanted(dict(item)) for item in items if item["type"] != "default_factory_not_called"]
        if wanted:  # outside the except block, so that the new error does not drag the values along
            raise FieldsWrong(wanted)

    @classmethod
    def settings_customise_sources(  # the base class's signature
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only the arguments: `load_settings` hands over its own layers, nothing else is looked at."""
        return (init_settings,)

    @field_validator("*", mode="before")
    @classmethod
    def _unwrapped(cls, value: object) -> object:
        # Layers hand over every text wrapped, so that no debug log of pydantic-settings can show one.
        return value.get_secret_value() if isinstance(value, SecretStr) else value

    def attach(self, *, sources: Mapping[str, str], faults: Sequence[Fault], unknown: Sequence[str]) -> Self:
        """For `load_settings`: remember what cannot be seen from the values."""
        self._sources, self._faults, self._unknown = dict(sources), tuple(faults), tuple(unknown)
        return self

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What is wrong, when the settings were loaded tolerantly: these values are at their defaults."""
        return self._faults

    @property
    def unknown(self) -> tuple[str, ...]:
        """Variables that begin with ESG_ and are none of ours: a slip of the pen, or another program's."""
        return self._unknown

    def sources(self) -> dict[str, str]:
        """Where each value came from, by variable: environment, .env, a file, Secrets Manager, default."""
        return {variable_of(field): self._sources.get(field, "default") for field in type(self).model_fields}

    def shown(self) -> dict[str, str | None]:
        """Each value by variable as it may be seen by anybody; None where there is none."""
        return {variable_of(field): shown(getattr(self, field)) for field in type(self).model_fields}

    def missing_for(self, command: str) -> list[Fault]:
        """What `command` ("run", "report verify" …) still needs before it can start."""
        from esg_assets.settings.needs import missing  # noqa: PLC0415 - it needs this module

        return missing(self, command)

    def require(self, command: str) -> None:
        """Nothing, if `command` can start.

        Raises:
            SettingsWrong: lists every fault of a tolerant load and every setting that is missing.
        """
        faults = [*self.faults, *self.missing_for(command)]
        if faults:
            raise settings_wrong(faults)


def shown(value: object) -> str | None:  # noqa: PLR0911 - one line for each kind of value
    """A value as it may be seen by anybody, in the form in which it is set."""
    match value:
        case None | ():
            return None
        case SecretUrl():
            return str(value)
        case SecretStr():
            return MASK
        case tuple():
            return ",".join(str(item) for item in value)
        case Metric() | date():
            return str(value)
        case time():
            return value.strftime("%H:%M")
        case float():
            return f"{value:g}"
        case str() if "://" in value:
            return mask_url(value)
    return str(value)


def secret_kind(annotation: object) -> type[SecretStr] | None:
    """The secret type that a field's annotation holds, or None if the setting is no secret."""
    if isinstance(annotation, type) and issubclass(annotation, SecretStr):
        return annotation
    kinds = (secret_kind(part) for part in getattr(annotation, "__args__", ()))
    return next((kind for kind in kinds if kind is not None), None)


SECRETS: Mapping[str, type[SecretStr]] = {
    name: kind for name, field in Settings.model_fields.items() if (kind := secret_kind(field.annotation))
}
"""Fields that are or can hold secrets: `X_FILE` and Secrets Manager may stand for them."""


def secret_texts(settings: Settings) -> list[str]:
    """The values of every secret setting in force, in the clear: for redaction only."""
    held = (getattr(settings, name) for name in SECRETS)
    items = (item for value in held for item in (value if isinstance(value, tuple) else (value,)))
    return [item.get_secret_value() for item in items if isinstance(item, SecretStr)]


def _wanted(error: dict[str, Any]) -> tuple[str, str]:
    field = str(error["loc"][0]) if error["loc"] else ""
    text = str(error["msg"]).removeprefix("Value error, ").removeprefix("Input should be ")
    return field, text.partition(", unable to parse")[0]
