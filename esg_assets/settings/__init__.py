"""The one source of truth for every setting.

`load_settings()` gives a `Settings`; importing this package reads nothing. Variables of the
environment come first, then, outside `prod` and never for commands that verify a report for its reader
(`report verify`, `decrypt` and so on, see `needs`), a `.env` in the working folder that is ours and not
writable by others. For a secret `X`, `X_FILE` may
name a file, and `aws-secretsmanager://NAME#FIELD` a secret of AWS Secrets Manager. Resources are
built from these, never from Dagster's run config.

Rooms: `deployment`, `inputs`, `operation` (the fields), `values` and `urls` (their types), `layers`,
`secret_files` and `secrets_manager` (where values are found), `guards`, `key_folders` and
`database_transport` (rules over several), `needs` (what a command needs), `home` (DAGSTER_HOME), `masking`
(how they are shown).
"""

from esg_assets.settings.faults import Fault
from esg_assets.settings.home import dagster_home
from esg_assets.settings.loading import load_settings
from esg_assets.settings.model import SECRETS, Settings, variable_of
from esg_assets.settings.urls import source_kind
from esg_assets.settings.values import KeyRef, VerifyKey, YamlSetting, parse_key, parse_verify_key

__all__ = [
    "SECRETS",
    "Fault",
    "KeyRef",
    "Settings",
    "VerifyKey",
    "YamlSetting",
    "dagster_home",
    "load_settings",
    "parse_key",
    "parse_verify_key",
    "source_kind",
    "variable_of",
]
