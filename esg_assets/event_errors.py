"""What Dagster's event log keeps of an exception that nobody turned into a `Failure` of ours.

Resources, schedules, sensors, IO managers and Dagster itself may raise anything. Whatever way an
exception takes into an event, a tick or an answer of the code server, it becomes a
`SerializableErrorInfo` first, and that is made in one place; so that is the place to leave out what
may be client data: of any error that is not ours only type and place are kept, of causes too.

The private name that this takes is used in this module only; `esg_assets_tests/canaries` holds that it
is still the way that every error takes.
"""

import sys
import traceback
from typing import Any

from dagster_shared.error import SerializableErrorInfo

from esg_assets.core import exception_words

_OURS = "esg_assets.core.errors."
_SAYS_NO_VALUE = frozenset(
    {
        "dagster._core.definitions.events.Failure",  # ours: raised by `failures.told_to`
        "dagster._core.errors.DagsterExecutionStepExecutionError",  # "Error occurred while executing op"
        "dagster._core.errors.DagsterExecutionLoadInputError",
        "dagster._core.errors.DagsterExecutionHandleOutputError",
        "dagster._core.errors.DagsterResourceFunctionError",
        "dagster._core.errors.ScheduleExecutionError",
        "dagster._core.errors.SensorExecutionError",
        "dagster._core.errors.DagsterExecutionInterruptedError",
        "dagster._core.errors.DagsterInvalidConfigError",  # of a run's config, which holds no secret
        "dagster._core.errors.DagsterUnknownPartitionError",
        "dagster._core.errors.DagsterInvalidDefinitionError",
        "dagster._core.errors.DagsterInvalidConfigDefinitionError",
    }
)
"""Dagster's errors whose texts name steps, resources and partitions, and nothing that we gave them."""


def keep_values_out_of_events() -> None:
    """From now on this process writes exceptions into events by type and place; once is enough."""
    SerializableErrorInfo.from_traceback = classmethod(_told)  # type: ignore[assignment,method-assign]  # on purpose


def _told(cls: type[SerializableErrorInfo], tb: traceback.TracebackException) -> SerializableErrorInfo:
    name = _name(tb)
    short = name.rpartition(".")[2]
    shown = name.startswith(_OURS) or name in _SAYS_NO_VALUE
    followed = None if tb.__cause__ or tb.__suppress_context__ else tb.__context__
    return cls(
        message=f"{name}: {tb}\n" if shown else f"{name} {exception_words.WITHHELD}\n",
        stack=[f"  {exception_words.place(f.filename, f.lineno, f.name)}\n" for f in tb.stack],
        cls_name=short,
        cause=_told(cls, tb.__cause__) if tb.__cause__ else None,
        context=_told(cls, followed) if followed else None,
    )


def _name(tb: Any) -> str:
    if sys.version_info >= (3, 13):
        return str(tb.exc_type_str)
    return f"{tb.exc_type.__module__}.{tb.exc_type.__qualname__}" if tb.exc_type else "an error"
