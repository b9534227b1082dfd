"""requests + ThreadPool + tenacity: a session a thread, exponential backoff with jitter, no limiter.

The results are held in memory and written at the end, as in the tutorials.
"""

import csv
import sys
import threading
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import Any

import requests
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from esg_assets_tests.bench.contenders.task import Task

TRIES = 12
TIMEOUT_SECONDS = 30
_local = threading.local()


def session(task: Task) -> requests.Session:
    """This thread's session: requests does not promise that one may be shared."""
    if not hasattr(_local, "session"):
        _local.session = requests.Session()
        _local.session.headers.update(task.headers)
        _local.session.verify = task.ca or True
    found: requests.Session = _local.session
    return found


@retry(
    retry=retry_if_exception_type(requests.RequestException),
    wait=wait_exponential_jitter(max=60),
    stop=stop_after_attempt(TRIES),
    reraise=True,
)
def rating(task: Task, account_id: str) -> dict[str, Any]:
    """The rating of one account."""
    response = session(task).get(task.rating_url(account_id), timeout=TIMEOUT_SECONDS)
    response.raise_for_status()
    found: dict[str, Any] = response.json()
    if found["account_id"] != account_id:
        raise ValueError("the rating of another account")
    return found


def main() -> int:
    """Collect everything into one CSV file."""
    task = Task.told()
    with ThreadPool(task.in_flight) as pool:
        ratings = pool.map(lambda account_id: rating(task, account_id), task.account_ids, chunksize=1)
    with (Path(task.out) / "ratings.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(ratings[0]))
        writer.writeheader()
        writer.writerows(ratings)
    return 0


if __name__ == "__main__":
    sys.exit(main())
