"""The type of what an asset tells of a materialization: figures and short texts, never client data."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

TEAM = "team:esg-pipeline"
"""The owner of everything here: the pipeline team of docs/support.md."""

Metadata = Mapping[str, str | int | float | list[str] | dg.MetadataValue[Any]]


def fence(text: str) -> str:
    """A text of several lines as Markdown that keeps them: the UI would show a plain one as a single line."""
    return f"```text\n{text}\n```"


def unfence(markdown: str) -> str:
    """The text that `fence` made `markdown` of; "" of nothing."""
    return markdown.removeprefix("```text\n").removesuffix("\n```")
