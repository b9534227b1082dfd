"""One OAuth 2.0 token for all threads: when it is renewed, by whom, and who waits."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from esg_assets.adapters.authorization import OAuth2ClientCredentials, TokenEndpoint
from esg_assets.core.errors import AccessDenied, ApiUnavailable
from esg_assets_tests.token_server import TokenServer, error_answer, token_answer, token_server


class Clock:
    """A monotonic clock that stands until it is moved; counts how often it was read."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.reads = 0

    def __call__(self) -> float:
        self.reads += 1
        return self.now


def until_read(clock: Clock, times: int) -> None:
    """Wait until `clock` has been read so often: a caller reads it right before it waits for the token."""
    deadline = time.monotonic() + 20
    while clock.reads < times and time.monotonic() < deadline:
        time.sleep(0.01)


class Gate:
    """Lets the endpoint answer only when the test says so."""

    def __init__(self, tokens: TokenServer) -> None:
        self.asked, self.open = threading.Event(), threading.Event()
        tokens.before_answering = self._wait

    def _wait(self) -> None:
        self.asked.set()
        self.open.wait(20)


@pytest.fixture
def tokens() -> Iterator[TokenServer]:
    with token_server() as server:
        yield server


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def credentials(tokens: TokenServer, clock: Clock) -> Iterator[OAuth2ClientCredentials]:
    endpoint = TokenEndpoint(tokens.url, "id", "SECRET", sleep=lambda _: None, attempts=2)
    yield OAuth2ClientCredentials(endpoint, clock=clock)
    endpoint.close()


def token(credentials: OAuth2ClientCredentials) -> str:
    return credentials.headers()["Authorization"].removeprefix("Bearer ")


def in_threads(count: int, work: Callable[[], object]) -> list[object]:
    """What `work` returned or raised in each of `count` threads that start together."""
    barrier = threading.Barrier(count)
    results: list[object] = []

    def run() -> None:
        barrier.wait(20)
        try:
            results.append(work())
        except Exception as error:  # noqa: BLE001  # it is the result
            results.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(results) == count
    return results


@pytest.mark.parametrize(
    ("expires_in", "renewed_after"),
    [(60, 45.0), (3600, 3570.0), (120, 90.0), (8, 6.0), ("3600", 3570.0), (None, 270.0), (10**400, 86370.0)],
)
def test_a_token_is_renewed_30_s_or_a_quarter_of_its_life_before_it_ends(
    credentials: OAuth2ClientCredentials,
    tokens: TokenServer,
    clock: Clock,
    expires_in: object,
    renewed_after: float,
) -> None:
    tokens.expires_in = expires_in
    assert token(credentials) == "token-1"
    clock.now = 1000.0 + renewed_after - 0.01
    assert token(credentials) == "token-1"
    clock.now = 1000.0 + renewed_after
    assert token(credentials) == "token-2"
    assert tokens.given == 2


def test_40_threads_make_one_token_request_for_each_expiry(
    credentials: OAuth2ClientCredentials, tokens: TokenServer, clock: Clock
) -> None:
    for generation in range(1, 6):
        assert set(in_threads(40, lambda: token(credentials))) == {f"token-{generation}"}
        assert tokens.given == generation
        clock.now += 60.0


def test_40_threads_make_one_token_request_after_a_refusal(
    credentials: OAuth2ClientCredentials, tokens: TokenServer
) -> None:
    for generation in range(1, 4):
        refused = dict(credentials.headers())
        assert set(in_threads(40, lambda refused=refused: credentials.renew(refused))) == {True}  # type: ignore[misc]  # mypy does not infer lambdas with defaults
        assert token(credentials) == f"token-{generation + 1}"
    assert tokens.given == 4


def test_while_one_renews_early_the_others_go_on_with_the_old_token(
    credentials: OAuth2ClientCredentials, tokens: TokenServer, clock: Clock
) -> None:
    assert token(credentials) == "token-1"
    gate = Gate(tokens)
    clock.now += 50.0
    renewing = threading.Thread(target=token, args=(credentials,))
    renewing.start()
    assert gate.asked.wait(20)
    assert set(in_threads(8, lambda: token(credentials))) == {"token-1"}
    gate.open.set()
    renewing.join(20)
    assert token(credentials) == "token-2"


def test_once_the_old_token_has_ended_the_others_wait_for_the_new_one(
    credentials: OAuth2ClientCredentials, tokens: TokenServer, clock: Clock
) -> None:
    token(credentials)
    gate = Gate(tokens)
    clock.now += 61.0
    threading.Timer(0.2, gate.open.set).start()
    assert set(in_threads(8, lambda: token(credentials))) == {"token-2"}
    assert tokens.given == 2


def test_nobody_uses_a_refused_token_while_the_new_one_is_on_its_way(
    credentials: OAuth2ClientCredentials, tokens: TokenServer
) -> None:
    refused = dict(credentials.headers())
    gate = Gate(tokens)
    renewing = threading.Thread(target=credentials.renew, args=(refused,))
    renewing.start()
    assert gate.asked.wait(20)
    threading.Timer(0.2, gate.open.set).start()
    assert set(in_threads(8, lambda: token(credentials))) == {"token-2"}
    renewing.join(20)


def test_an_endpoint_that_repeats_a_refused_token_gives_nothing_to_try(
    credentials: OAuth2ClientCredentials, tokens: TokenServer
) -> None:
    tokens.script = [token_answer("same"), token_answer("same")]
    refused = dict(credentials.headers())
    assert credentials.renew(refused) is False


def test_a_failed_early_renewal_keeps_the_old_token_for_a_while(
    credentials: OAuth2ClientCredentials, tokens: TokenServer, clock: Clock
) -> None:
    assert token(credentials) == "token-1"
    tokens.script = [error_answer(503)] * 4
    clock.now += 46.0
    assert token(credentials) == "token-1"
    assert len(tokens.requests) == 1 + 2  # two attempts, then a pause
    clock.now += 4.0
    assert token(credentials) == "token-1"
    assert len(tokens.requests) == 1 + 2
    clock.now += 1.0
    assert token(credentials) == "token-1"
    assert len(tokens.requests) == 1 + 4
    clock.now += 5.0
    assert token(credentials) == "token-2"


def test_a_failed_renewal_of_an_ended_token_is_an_error(
    credentials: OAuth2ClientCredentials, tokens: TokenServer, clock: Clock
) -> None:
    token(credentials)
    tokens.script = [error_answer(503)] * 2
    clock.now += 60.0
    with pytest.raises(ApiUnavailable):
        token(credentials)
    assert token(credentials) == "token-2"


@pytest.mark.parametrize(
    ("refusal", "error"),
    [
        pytest.param(error_answer(401, "invalid_client"), AccessDenied, id="refused"),
        pytest.param(error_answer(503), ApiUnavailable, id="away"),
    ],
)
def test_all_who_wait_are_told_of_the_one_failure(
    credentials: OAuth2ClientCredentials,
    tokens: TokenServer,
    clock: Clock,
    refusal: bytes,
    error: type[Exception],
) -> None:
    tokens.script = [refusal] * 2
    tokens.before_answering = lambda: until_read(clock, 10 + 1)  # once by each caller, again by the fetcher
    results = in_threads(10, lambda: token(credentials))
    assert {type(result) for result in results} == {error}
    assert len({id(result) for result in results}) == 10
    assert len(tokens.requests) == (1 if error is AccessDenied else 2)


def test_who_waits_is_released_when_the_fetching_thread_is_interrupted(
    tokens: TokenServer, clock: Clock
) -> None:
    class Interrupted(TokenEndpoint):
        def fetch(self) -> object:  # type: ignore[override]  # it never returns
            started.set()
            until_read(clock, 2 + 1)  # twice by the fetcher, once by the other
            raise KeyboardInterrupt

    started = threading.Event()
    interrupted = OAuth2ClientCredentials(Interrupted(tokens.url, "id", "s"), clock=clock)
    outcomes: list[BaseException] = []

    def fetches() -> None:
        try:
            interrupted.headers()
        except BaseException as error:  # noqa: BLE001  # it is the result
            outcomes.append(error)

    threads = [threading.Thread(target=fetches) for _ in range(2)]
    threads[0].start()
    assert started.wait(10)
    threads[1].start()
    for thread in threads:
        thread.join(20)
    assert sorted(type(error).__name__ for error in outcomes) == ["KeyboardInterrupt", "Unavailable"]
