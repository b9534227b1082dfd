"""How errors reach Dagster: as a `Failure` that says what to do, and never holds a value it should not.

Dagster writes an exception's text and traceback into its event log, which everybody who can see the
UI can read. So our own errors are told in their own words, and of any other error only its type and
place, because its text may hold whatever the library was working on.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from esg_assets.core import exception_words
from esg_assets.core.errors import EsgError, Refused, ReportBlocked, Tampered

Context = dg.AssetExecutionContext | dg.AssetCheckExecutionContext | dg.InputContext | dg.OutputContext

PERMANENT_TAG = "esg/permanent"
"""On a run that ended with an error which a repeat cannot mend: the schedule does not ask again."""

ERROR_TAG = "esg/error"
"""On a failed run: the type of the error, one word of `esg_assets.core.errors`."""

BEHIND_TAG = "esg/behind"
"""On a run that met a records store without the remembered head of the chain: that head."""

ERROR_METADATA = "error"
"""The same in the metadata of the `Failure`."""


@contextmanager
def told_to(context: Context) -> Iterator[None]:
    """Turn whatever is raised inside into a `dg.Failure` of the step that `context` belongs to."""
    try:
        yield
    except EsgError as error:
        _tag(context, error)
        raise dg.Failure(
            str(error), metadata={ERROR_METADATA: type(error).__name__}, allow_retries=False
        ) from None
    except dg.Failure:
        raise
    except Exception as error:  # noqa: BLE001  # whatever it is, its text must not reach the event log
        _tag(context, error)
        places = exception_words.places(error.__traceback__)[-8:]
        raise dg.Failure(
            f"An unexpected {type(error).__name__} at {places[-1]}. Its text is not shown, because it may "
            "hold client data. This is a fault of the software: please report it with the "
            "frames in the metadata.",
            metadata={
                ERROR_METADATA: type(error).__name__,
                "frames": dg.MetadataValue.md("\n".join(f"- `{p}`" for p in places)),
            },
            allow_retries=False,
        ) from None


def _tag(context: Context, error: Exception) -> None:
    if isinstance(context, dg.AssetExecutionContext | dg.AssetCheckExecutionContext):
        run_id, instance = context.run.run_id, context.instance
    else:
        step = context.step_context
        run_id, instance = step.run_id, step.instance
    tags = {ERROR_TAG: type(error).__name__}
    # What blocked a report may well pass: the next run asks again for what failed or was not rated.
    # Nor is a store that lags what is remembered of it: its entries come back, or their loss is accepted.
    if isinstance(error, Tampered) and error.behind:
        tags[BEHIND_TAG] = error.behind
    elif isinstance(error, Refused) and not isinstance(error, ReportBlocked):
        tags[PERMANENT_TAG] = "true"
    instance.add_run_tags(run_id, tags)
