"""What Dagster's catalogue shows of the assets beyond what they say themselves: by settings.

Owners, group, columns, links and code references. Descriptions, kinds and tags stand with the assets;
what a materialization tells stands there too. Nothing here reaches a run.
"""

import inspect
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg

from esg_assets import alert_choice, links
from esg_assets.asset_columns import schema_and_lineage
from esg_assets.asset_metadata import TEAM
from esg_assets.settings import Settings

GROUP = "esg_report"
PACKAGE = Path(__file__).parent
PROJECT_FILE = PACKAGE.parent / "pyproject.toml"
"""Beside the package in a checkout; nowhere where it is installed."""

SITE_SOURCE = PACKAGE / "site" / "building.py"

_OWNER = r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,7}"
"""What Dagster takes for the address of an owner; it refuses to load with any other."""


def owners(settings: Settings) -> list[str]:
    """The team that docs/support.md names, and the developers whom alerts go to."""
    return [TEAM, *(each for each in settings.alert_email_dev if re.fullmatch(_OWNER, each))]


def catalogued(asset: dg.AssetsDefinition, settings: Settings) -> dg.AssetsDefinition:
    """An asset of ours with everything that settings say of it."""
    fn = asset.op.compute_fn.decorated_fn  # type: ignore[union-attr]  # of an @asset it is one
    line = inspect.getsourcelines(fn)[1]
    source = Path(str(inspect.getsourcefile(fn)))
    return asset.map_asset_specs(lambda spec: catalogued_spec(spec, settings, source, line))


def catalogued_spec(
    spec: dg.AssetSpec, settings: Settings, source: Path = SITE_SOURCE, line: int = 0
) -> dg.AssetSpec:
    """The same of a spec, whose code is at `line` of `source` (0: the file as a whole)."""
    places = alert_choice.places(settings)
    name = spec.key.to_user_string()
    return spec.replace_attributes(
        owners=owners(settings),
        group_name=GROUP,
        metadata={
            **spec.metadata,
            **links.pages_of(places),
            **links.runbook_of(places),
            **schema_and_lineage(name, settings.metrics),
            **code_reference(settings, source, line),
        },
    )


def code_reference(settings: Settings, source: Path, line: int) -> Mapping[str, Any]:
    """Where the code is: in the repository (ESG_SOURCE_URL), or, while it is developed, on this machine.

    An installed package says nothing without the setting: a path of a server helps nobody who reads it.
    """
    inside = source.resolve().relative_to(PACKAGE.parent).as_posix()
    with _beta():
        if settings.source_url:
            anchor = f"#L{line}" if line else ""
            found: Any = dg.UrlCodeReference(url=f"{settings.source_url}/{inside}{anchor}", label=inside)
        elif settings.env == "dev" and PROJECT_FILE.is_file():
            found = dg.LocalFileCodeReference(file_path=str(source), line_number=line or None, label=inside)
        else:
            return {}
        return {"dagster/code_references": dg.CodeReferencesMetadataValue(code_references=[found])}


@contextmanager
def _beta() -> Iterator[None]:
    """Quiet for Dagster's warning on code references: the family is pinned to the patch for it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=dg.BetaWarning, message=".*CodeReference.*")
        yield
