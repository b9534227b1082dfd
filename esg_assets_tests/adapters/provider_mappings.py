"""Mappings for the tests of ESG_API_MAPPING, and what is made of them."""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from esg_assets.adapters.esg_api.mapping import ProviderMapping, parse_provider_mapping
from esg_assets.settings.values import YamlSetting

EXAMPLES = Path(__file__).parents[2] / "deploy" / "providers"

SMALL: Mapping[str, Any] = {
    "request": {"path": "/scores/{account_id}", "ids": "path", "query": {"date": "{as_of}"}},
    "reply": {
        "entries": "data",
        "account_id": "id",
        "fields": {
            "as_of": {"path": "day"},
            "overall_score": {"path": "all"},
            "environmental_score": {"path": "e"},
            "social_score": {"path": "s"},
            "governance_score": {"path": "g"},
            "primary_focus": {"derived": "highest_pillar"},
        },
    },
}


def changed(place: str, value: object) -> dict[str, Any]:
    """SMALL with another value at a dotted place; a value of None takes the key away."""
    document = copy.deepcopy(dict(SMALL))
    at: Any = document
    *before, last = place.split(".")
    for name in before:
        at = at.setdefault(name, {})
    if value is None:
        del at[last]
    else:
        at[last] = value
    return document


def canonical(document: Mapping[str, Any]) -> str:
    return YamlSetting(document).canonical


def parsed(document: Mapping[str, Any]) -> ProviderMapping:
    return parse_provider_mapping(canonical(document))


def example(name: str) -> str:
    """The canonical text of a mapping in deploy/providers."""
    return canonical(yaml.safe_load((EXAMPLES / f"{name}.yaml").read_text(encoding="utf-8")))
