"""Tokens of a minute at a provider that takes half of it to answer: none may have ended when it is looked at.

The provider here looks at the token as late as it can: when it answers.
"""

import heapq
import threading
import time
from collections.abc import Iterator, Mapping
from socket import socket

import pytest

from esg_assets.adapters.authorization import OAuth2ClientCredentials, TokenEndpoint
from esg_assets_tests.adapters.esg_api_calls import AS_OF, client
from esg_assets_tests.raw_server import answer, raw_server
from esg_assets_tests.token_server import TokenServer, error_answer, token_server

LIFE = 60.0


class Night:
    """Calls in simulated time against a real token endpoint: 64 at once, two a second.

    Attributes:
        refused: when calls were sent whose token had ended by the time they were answered.
    """

    def __init__(self, tokens: TokenServer, timeout: float, token_seconds: float = 0.0) -> None:
        self.now = 0.0
        self.refused: list[float] = []
        self.tokens = tokens
        self.endpoint = TokenEndpoint(tokens.url, "id", "SECRET", sleep=lambda _: None, attempts=1)
        self._given: dict[str, float] = {}
        self._token_seconds = token_seconds
        tokens.expires_in = LIFE
        tokens.before_answering = self._token_is_made
        self._credentials = OAuth2ClientCredentials(
            self.endpoint, clock=lambda: self.now, call_seconds=timeout
        )

    def _token_is_made(self) -> None:
        # Half of the wait on the way there, half on the way back.
        self.now += self._token_seconds / 2
        self._given[f"Bearer token-{self.tokens.given + 1}"] = self.now
        self.now += self._token_seconds / 2

    def run(self, latencies: Mapping[float, float], seconds: float = 600.0) -> None:
        """Calls until `seconds`; `latencies` is by the time from which on it is so."""
        answers: list[tuple[float, float, str]] = []
        while self.now < seconds:
            while answers and answers[0][0] <= self.now:
                answered, sent, token = heapq.heappop(answers)
                self._credentials.took(answered - sent)
                if answered > self._given[token] + LIFE:
                    self.refused.append(sent)
            if len(answers) < 64:
                headers = self._credentials.headers()
                latency = next(
                    latencies[start] for start in sorted(latencies, reverse=True) if start <= self.now
                )
                heapq.heappush(answers, (self.now + latency, self.now, headers["Authorization"]))
            self.now += 0.5


@pytest.fixture
def tokens() -> Iterator[TokenServer]:
    with token_server() as server:
        yield server


@pytest.mark.parametrize("timeout", [30.0, 60.0])
@pytest.mark.parametrize("latency", [0.2, 5.0, 15.0, 20.0, 30.0])
def test_tokens_of_60_s_meet_no_401_at_any_latency_up_to_30_s(
    tokens: TokenServer, latency: float, timeout: float
) -> None:
    night = Night(tokens, timeout)

    night.run({0.0: latency})

    assert night.refused == []
    # At 30 s a token serves for 27 s; when calls are quick, for 45 s.
    assert tokens.given <= (600 / 26.5 if latency > 13 else 600 / 44) + 2


def test_an_endpoint_that_is_slow_itself_makes_no_401_either(tokens: TokenServer) -> None:
    night = Night(tokens, 60.0, token_seconds=30.0)

    night.run({0.0: 30.0})

    assert night.refused == []


def test_a_provider_that_slows_down_suddenly_costs_refusals_until_the_first_slow_answer_only(
    tokens: TokenServer,
) -> None:
    night = Night(tokens, 30.0)

    night.run({0.0: 0.2, 117.0: 30.0, 400.0: 0.2})

    assert all(117.0 <= sent <= 117.0 + 30.0 for sent in night.refused)


def test_a_failed_renewal_leaves_the_old_token_to_its_very_end(tokens: TokenServer) -> None:
    night = Night(tokens, 30.0)
    night.run({0.0: 30.0}, seconds=26.0)
    tokens.script = [error_answer(503)] * 3

    night.run({0.0: 30.0}, seconds=47.0)  # tried at 30, 35, 40 and 45 s

    assert tokens.script == []
    assert tokens.given == 2


def test_no_401_from_a_real_server_at_half_a_tokens_life() -> None:
    """Fifty times as fast: tokens of 1.2 s, answers after 0.6 s, looked at when they are sent."""
    life, latency = 1.2, 0.6
    given: dict[bytes, float] = {}
    refusals: list[bytes] = []

    def rate(connection: socket, request: bytes) -> None:
        time.sleep(latency)
        lines = request.split(b"\r\n")
        token = next(line.split(b": ", 1)[1] for line in lines if line.lower().startswith(b"authorization:"))
        ended = time.monotonic() > given[token] + life
        if ended:
            refusals.append(token)
        connection.sendall(answer(401 if ended else 200))

    with token_server() as tokens, raw_server(rate) as server:
        tokens.expires_in = life

        def note() -> None:
            given[b"Bearer token-%d" % (tokens.given + 1)] = time.monotonic()

        tokens.before_answering = note
        endpoint = TokenEndpoint(tokens.url, "id", "SECRET")
        credentials = OAuth2ClientCredentials(endpoint, call_seconds=30.0)
        with client(server.url, credentials, took=credentials.took) as api:
            ends = time.monotonic() + 4.0
            statuses: list[int | None] = []

            def work() -> None:
                while time.monotonic() < ends:
                    statuses.append(api.ask("A", AS_OF).status)

            threads = [threading.Thread(target=work) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(30)
        endpoint.close()

    assert refusals == []
    assert set(statuses) == {200}
    assert len(statuses) >= 16
    assert tokens.given >= 3
