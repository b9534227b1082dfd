"""The layers that values come from: environment variables, then a `.env`; for secrets also files and
Secrets Manager, which a variable of either layer names.

What a value must look like is no business of this module.
"""

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource

from esg_assets.settings.faults import Fault
from esg_assets.settings.model import SECRETS, Settings, variable_of
from esg_assets.settings.secret_files import read_secret
from esg_assets.settings.secrets_manager import SCHEME, SecretsManager


@dataclass
class Findings:
    """What the layers found, by field.

    Attributes:
        texts: the raw text of each value; never shown unmasked.
        sources: where each came from.
        faults: values that could not be had.
        left_out: fields whose value was refused; the next attempt goes on without them.
    """

    texts: dict[str, str] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    left_out: set[str] = field(default_factory=set)
    secrets_manager: SecretsManager = field(default_factory=SecretsManager)


class Layer(PydanticBaseSettingsSource):
    """One layer of variables; earlier layers win."""

    def __init__(
        self, variables: Mapping[str, str], label: str, findings: Findings, fields: Collection[str]
    ) -> None:
        super().__init__(Settings)
        self._variables, self._label, self._findings, self._fields = variables, label, findings, fields
        self._values: dict[str, SecretStr] | None = None

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002 - the base class's signature
        """The wrapped text of a field, or None if this layer has none."""
        text = self._text(field_name)
        return (None if text is None else SecretStr(text)), field_name, False

    def __call__(self) -> dict[str, Any]:
        """The layer's values; looked up once, whatever is built from them how often."""
        if self._values is None:
            self._values = {}
            for name, info in Settings.model_fields.items():
                if name not in self._fields or name in self._findings.sources:
                    continue
                value, _, _ = self.get_field_value(info, name)
                if value is not None:
                    self._values[name] = value
                    self._findings.texts[name] = value.get_secret_value()
        return {name: value for name, value in self._values.items() if name not in self._findings.left_out}

    def _text(self, name: str) -> str | None:
        """A field's text; remembers where it is from. An empty variable counts as not set."""
        variable, secret = variable_of(name), name in SECRETS
        text = self._variables.get(variable, "")
        file = self._variables.get(f"{variable}_FILE", "")
        if not text.strip() and not file.strip():
            return None
        self._findings.sources[name] = self._label
        try:
            if file:
                return self._from_file(name, Path(file), other=text)
            if text.strip().startswith(SCHEME):
                return self._from_secrets_manager(name, text.strip())
        except ValueError as error:
            where = f"{variable}_FILE" if file else variable
            self._findings.faults.append(Fault(variable, f"{where} ({self._label}): wanted: {error}"))
            self._findings.left_out.add(name)
            return None
        return text.rstrip("\r\n") if secret else text.strip()

    def _from_file(self, name: str, path: Path, *, other: str) -> str:
        variable = variable_of(name)
        if name not in SECRETS:
            raise ValueError(f"{variable} itself: only settings that are secret can stand in a file")
        if other:
            raise ValueError(f"one of {variable} and {variable}_FILE, not both")
        self._findings.sources[name] = f"file {path} ({self._label})"
        try:
            return read_secret(path)
        except ValueError as error:
            # Somebody may have put the secret itself where its file's name belongs.
            shown = str(path) if os.path.lexists(path) else "the file it names"
            raise ValueError(f"a file that only this user can read; {shown} {error}") from None

    def _from_secrets_manager(self, name: str, reference: str) -> str:
        if name not in SECRETS:
            raise ValueError("the value itself: only settings that are secret can stand in Secrets Manager")
        self._findings.sources[name] = f"{reference} ({self._label})"
        return self._findings.secrets_manager.value(reference)
