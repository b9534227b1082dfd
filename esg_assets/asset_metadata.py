"""The type of what an asset tells of a materialization: figures and short texts, never client data."""

from collections.abc import Mapping

import dagster as dg

Metadata = Mapping[str, str | int | float | list[str] | dg.MarkdownMetadataValue]
