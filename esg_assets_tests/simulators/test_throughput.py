"""How many ratings one process answers in a second: printed (`pytest -s`), never judged."""

import threading
import time

from pyreqwest.client import SyncClientBuilder

from esg_assets.simulators.options import Options
from esg_assets.simulators.server import SimulatorServer
from esg_assets_tests.simulators.wire import bearer, rating_path

CALLS, THREADS = 4000, 8


def test_thousands_of_ratings_are_served() -> None:
    with SimulatorServer(Options(accounts=CALLS, rate=1_000_000)) as server:
        headers, statuses = bearer(server.url), list[int]()
        with SyncClientBuilder().build() as client:

            def ask(first: int) -> None:
                for number in range(first, CALLS, THREADS):
                    url = server.url + rating_path(f"A{number + 1:07d}", "2026-01-14")
                    reply = client.get(url).headers(headers).build().send()
                    reply.bytes()
                    statuses.append(reply.status)

            threads = [threading.Thread(target=ask, args=(first,)) for first in range(THREADS)]
            start = time.monotonic()
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            seconds = time.monotonic() - start
        stats = server.stats()
    print(f"\n{CALLS / seconds:,.0f} ratings a second with OAuth 2.0 and a rate limit")  # noqa: T201  # its purpose
    assert len(statuses) == stats["calls"] == CALLS
    assert set(statuses) <= {200, 404}
