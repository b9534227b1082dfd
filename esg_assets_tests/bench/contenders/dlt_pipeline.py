"""dlt: a resource of accounts, a transformer that defers one call each, as its "transformers" example.

Its own requests client repeats refused calls; it has no limiter. Loads into files of the filesystem
destination, and is pointed away from the home folder and from telemetry.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from esg_assets_tests.bench.contenders.task import Task

PAGE = 100
TRIES = 12  # dlt's default of 5 gives up under a limit, and the pipeline with it


def main() -> int:
    """Run the pipeline; what an earlier run left half done is dlt's to pick up."""
    task = Task.told()
    os.environ |= {
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        "DLT_DATA_DIR": task.out,
        "EXTRACT__WORKERS": str(task.in_flight),
        "EXTRACT__MAX_PARALLEL_ITEMS": str(task.in_flight),
    }
    import dlt  # type: ignore[import-not-found]  # noqa: PLC0415  # peers' environment; reads os.environ
    from dlt.sources.helpers.requests import Client  # type: ignore[import-not-found]  # noqa: PLC0415

    client = Client(
        max_connections=task.in_flight,
        request_max_attempts=TRIES,
        session_attrs={"headers": task.headers, "verify": task.ca or True},
    )

    @dlt.resource(selected=False)  # type: ignore[untyped-decorator]  # not installed where mypy runs
    def accounts() -> Iterator[list[str]]:
        ids = task.account_ids
        for first in range(0, len(ids), PAGE):
            yield ids[first : first + PAGE]

    @dlt.transformer(data_from=accounts)  # type: ignore[untyped-decorator]  # likewise
    def esg_ratings(page: list[str]) -> Iterator[Any]:
        @dlt.defer  # type: ignore[untyped-decorator]  # likewise
        def rating(account_id: str) -> Any:
            found = client.get(task.rating_url(account_id)).json()
            if found["account_id"] != account_id:
                raise ValueError("the rating of another account")
            return found

        for account_id in page:
            yield rating(account_id)

    pipeline = dlt.pipeline(
        "esg_ratings",
        pipelines_dir=str(Path(task.out) / "pipelines"),
        destination=dlt.destinations.filesystem(bucket_url=(Path(task.out) / "loaded").as_uri()),
        dataset_name="esg",
    )
    pipeline.run([accounts, esg_ratings]).raise_on_failed_jobs()
    return 0


if __name__ == "__main__":
    sys.exit(main())
