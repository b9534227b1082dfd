"""What a run prints: one plain line per message of ours, none of Dagster's own debugging."""

import logging
import sys
from datetime import UTC, datetime

import dagster as dg


class _Line(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        told = getattr(record, "dagster_meta", {})
        step = told.get("step_key") or "run"
        text = told.get("orig_message") or record.getMessage()
        at = datetime.fromtimestamp(record.created, UTC)
        return f"{at:%H:%M:%S}Z {record.levelname.lower()} {step}: {text}"


def _ours(record: logging.LogRecord) -> bool:
    """Dagster's own events are in its database, and a failure is told by whoever started the run."""
    return not getattr(record, "dagster_meta", {}).get("dagster_event")


@dg.logger(
    config_schema={"log_level": dg.Field(str, default_value="INFO")},
    description="One plain line per message on standard error.",
)
def plain_lines(context: dg.InitLoggerContext) -> logging.Logger:
    """The logger of every run."""
    level = str(context.logger_config["log_level"])
    logger = logging.Logger("esg_assets", level=level)  # noqa: LOG001  # a global one would keep its handlers
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Line())
    handler.addFilter(_ours)
    logger.addHandler(handler)
    return logger
