"""dagster-pandas types: the schema (columns and dtypes) of every batch that is stored or read.

Only schema: their null, unique and range constraints print the offending rows into the event log,
and rows are client data. Quality is judged by `esg_assets.core.verdicts`.
"""

import warnings
from collections.abc import Iterable, Iterator
from typing import Any, cast

import dagster as dg
import pyarrow as pa
from dagster_pandas import PandasColumn, create_dagster_pandas_dataframe_type
from dagster_pandas.constraints import ColumnDTypeFnConstraint
from pandas.api.types import is_numeric_dtype, is_object_dtype, is_string_dtype

from esg_assets.core.accounts import ACCOUNT_SCHEMA
from esg_assets.core.errors import Tampered
from esg_assets.core.outcomes import OUTCOME_SCHEMA


def _is_text(dtype: Any) -> bool:
    """Texts, or a batch of nothing but nulls."""
    return bool(is_string_dtype(dtype) or is_object_dtype(dtype))


def _type_of(name: str, schema: pa.Schema, description: str) -> dg.DagsterType:
    with warnings.catch_warnings():
        # dagster-pandas has been beta since 2019; its family is pinned to the patch.
        warnings.filterwarnings("ignore", category=dg.BetaWarning)
        columns = [_column(field) for field in schema]
        made = create_dagster_pandas_dataframe_type(  # type: ignore[no-untyped-call]  # it has no types
            name, description=description, columns=columns
        )
    return cast("dg.DagsterType", made)


def _column(field: pa.Field) -> object:
    kind = is_numeric_dtype if pa.types.is_integer(field.type) else _is_text
    dtype = ColumnDTypeFnConstraint(kind)  # type: ignore[no-untyped-call]  # it has no types
    return PandasColumn(field.name, constraints=[dtype])  # type: ignore[no-untyped-call]  # it has no types


AccountsBatch = _type_of("AccountsBatch", ACCOUNT_SCHEMA, "Accounts of a snapshot.")

RatingsBatch = _type_of(
    "RatingsBatch",
    pa.schema([f for f in OUTCOME_SCHEMA if f.name != "raw"]),
    "Outcomes of accounts, without the provider's raw answers.",
)


def checked(kind: dg.DagsterType, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The batches, each held against its type.

    Raises:
        Tampered: a batch has another schema; the message names the column, never a value.
    """
    for batch in batches:
        # These types look at the frame alone; the context is for types that need resources.
        verdict = kind.type_check(cast("dg.TypeCheckContext", None), batch.to_pandas())
        if not verdict.success:
            raise Tampered(f"A batch is not what the type {kind.display_name} says: {verdict.description}")
        yield batch
