"""aiohttp + aiolimiter: one session, one task an account, `AsyncLimiter(rate, 1)` as its README has it.

aiohttp repeats nothing by itself, so a refused call is tried again as tenacity's documentation
advises. The results are held in memory and written at the end, as in the tutorials.
"""

import asyncio
import csv
import ssl
import sys
from contextlib import AbstractAsyncContextManager, nullcontext
from pathlib import Path
from typing import Any

import aiohttp
from aiolimiter import AsyncLimiter  # type: ignore[import-not-found]  # in the peers' environment only
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from esg_assets_tests.bench.contenders.task import Task

PERIOD_SECONDS = 1.0
TRIES = 12


async def collect(task: Task, period_seconds: float) -> list[dict[str, Any]]:
    """The rating of every account."""
    limiter: AbstractAsyncContextManager[None] = (
        AsyncLimiter(task.rate * period_seconds, period_seconds) if task.rate else nullcontext()
    )

    @retry(
        retry=retry_if_exception_type(aiohttp.ClientError),
        wait=wait_exponential_jitter(max=60),
        stop=stop_after_attempt(TRIES),
        reraise=True,
    )
    async def rating(session: aiohttp.ClientSession, account_id: str) -> dict[str, Any]:
        async with limiter, session.get(task.rating_url(account_id)) as response:
            response.raise_for_status()
            found: dict[str, Any] = await response.json()
        if found["account_id"] != account_id:
            raise ValueError("the rating of another account")
        return found

    connector = aiohttp.TCPConnector(
        limit=task.in_flight, ssl=ssl.create_default_context(cafile=task.ca) if task.ca else True
    )
    async with aiohttp.ClientSession(headers=task.headers, connector=connector) as session:
        return list(await asyncio.gather(*(rating(session, account_id) for account_id in task.account_ids)))


def main(period_seconds: float = PERIOD_SECONDS) -> int:
    """Collect everything into one CSV file."""
    task = Task.told()
    ratings = asyncio.run(collect(task, period_seconds))
    with (Path(task.out) / "ratings.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(ratings[0]))
        writer.writeheader()
        writer.writerows(ratings)
    return 0


if __name__ == "__main__":
    sys.exit(main())
